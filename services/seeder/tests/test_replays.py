"""What a replay brings: nothing is done twice, unless it says force; then it is done once more."""

from __future__ import annotations

import pytest
from chronicle_contracts import Ignore, Retry
from seeder.domain.seed import State
from seeder.ports import CannotMake

from services.seeder.tests.cast import KEY, Crash, World, deleted, replayed, uploaded

ONCE = ["TorrentCreated", "SeedingStarted"]
TORRENT = f"{KEY}.torrent"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def seeding(world):
    world.seeder.handle(uploaded())
    return world


class TestUnforced:
    def test_says_and_does_nothing_where_the_work_is_done(self, seeding):
        before, steps = seeding.history(), list(seeding.steps.done)
        with pytest.raises(Ignore, match="forces nothing"):
            seeding.seeder.handle(replayed(uploaded()))
        assert (seeding.history(), seeding.steps.done) == (before, steps)

    def test_says_nothing_of_the_same_content_by_another_attempt(self, seeding):
        with pytest.raises(Ignore):
            seeding.seeder.handle(replayed(uploaded(attempt=2)))
        assert seeding.said() == ONCE

    def test_says_nothing_again_where_no_torrent_could_be_made(self, world):
        del world.recordings.objects[KEY]
        world.seeder.handle(uploaded())
        world.recordings.objects[KEY] = b"x" * 1000
        with pytest.raises(Ignore):
            world.seeder.handle(replayed(uploaded()))
        assert world.said() == ["TorrentFailed"]

    def test_is_work_where_the_event_was_never_heard(self, world):
        world.seeder.handle(replayed(uploaded()))
        assert world.said() == ONCE

    def test_of_a_deletion_changes_nothing(self, seeding):
        seeding.seeder.handle(deleted())
        seeding.recordings.objects[TORRENT] = b"somebody's"
        with pytest.raises(Ignore):
            seeding.seeder.handle(replayed(deleted()))
        assert seeding.said() == [*ONCE, "SeedingStopped"]
        assert TORRENT in seeding.recordings.objects


class TestForced:
    def test_makes_the_torrent_again_and_adds_it_to_the_engine_again(self, seeding):
        seeding.recordings.objects[TORRENT] = b"rubbish"
        was = seeding.seed().torrent
        seeding.steps.done.clear()
        seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == ONCE * 2
        assert (seeding.maker.made, seeding.seed().torrent) == (2, was)
        assert seeding.recordings.objects[TORRENT] != b"rubbish"
        assert "offer" in seeding.steps.done

    def test_is_done_once_however_often_it_comes(self, seeding):
        for _ in range(3):
            seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == ONCE * 2
        assert seeding.maker.made == 2

    def test_is_done_again_by_another_replay(self, seeding):
        seeding.seeder.handle(replayed(uploaded(), "r1", force=True))
        seeding.seeder.handle(replayed(uploaded(), "r2", force=True))
        seeding.seeder.handle(replayed(uploaded(), "r1", force=True))
        assert seeding.said() == ONCE * 3

    def test_names_the_replay_in_what_it_leads_to(self, seeding):
        seeding.seeder.handle(replayed(uploaded(), force=True))
        assert [one.causationreplay for one in seeding.history()] == [None, None, "r1", "r1"]

    @pytest.mark.parametrize("step", range(7))
    def test_goes_on_after_a_crash_before_any_step(self, seeding, step):
        seeding.steps.crash_before = len(seeding.steps.done) + step
        with pytest.raises(Crash):
            seeding.seeder.handle(replayed(uploaded(), force=True))
        seeding.restart()
        seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == ONCE * 2
        assert set(seeding.engine.has) == {seeding.seed().torrent.info_hash}

    def test_tries_again_what_had_failed(self, world):
        world.maker.problem = CannotMake("unreadable", "The disk is broken.")
        world.seeder.handle(uploaded())
        world.maker.problem = None
        world.seeder.handle(replayed(uploaded(), force=True))
        assert world.said() == ["TorrentFailed", *ONCE]

    def test_brings_back_what_was_offered_long_enough(self, seeding):
        seed = seeding.seed()
        seed.stop("ratio", at=seeding.now)
        seeding.events.append(seed)
        seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.seed().state is State.SEEDING

    def test_does_not_bring_back_what_was_deleted(self, seeding):
        seeding.seeder.handle(deleted())
        with pytest.raises(Ignore, match="was deleted"):
            seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == [*ONCE, "SeedingStopped"]

    @pytest.mark.parametrize("fails", [False, True])
    def test_does_not_bring_back_what_was_uploaded_anew(self, seeding, fails):
        seeding.recordings.objects[KEY] = b"y" * 1000
        seeding.maker.problem = CannotMake("unreadable", "Broken.") if fails else None
        seeding.seeder.handle(uploaded("cd" * 32, attempt=2))
        seeding.maker.problem = None
        before = seeding.history()
        with pytest.raises(Ignore, match="uploaded anew"):
            seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.history() == before

    def test_waits_for_an_engine_that_is_away(self, seeding):
        seeding.engine.down = True
        with pytest.raises(Retry):
            seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == ONCE
        seeding.engine.down = False
        seeding.seeder.handle(replayed(uploaded(), force=True))
        assert seeding.said() == ONCE * 2

    def test_deletes_again_what_a_deletion_left(self, seeding):
        seeding.seeder.handle(deleted())
        seeding.recordings.objects[TORRENT] = b"put back"
        seeding.seeder.handle(replayed(deleted(), force=True))
        assert TORRENT not in seeding.recordings.objects
        assert seeding.said() == [*ONCE, "SeedingStopped"]
