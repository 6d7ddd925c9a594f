"""The reconciler: given a history and an engine, after a pass they agree."""

import threading
from datetime import timedelta

import pytest
from chronicle_contracts import Retry
from seeder.domain.policy import Limits
from seeder.domain.seed import State
from seeder.ports import EngineTorrent

from services.seeder.tests.cast import KEY, World, uploaded


@pytest.fixture
def world():
    """A world in which one recording is being seeded."""
    world = World()
    world.seeder.handle(uploaded())
    world.reconcile()
    return world


def info_hash(world):
    return world.seed().torrent.info_hash


def sent(world, bytes_: int, *, peers: int = 1):
    world.engine.has[info_hash(world)] = EngineTorrent(seeding=True, uploaded=bytes_, peers=peers)


class TestPass:
    def test_changes_nothing_where_all_is_well(self, world):
        before, offered = world.said(), world.engine.offered
        for _ in range(3):
            assert world.reconcile()
        assert (world.said(), world.engine.offered) == (before, offered)

    def test_fills_an_engine_that_lost_everything(self, world):
        before = world.said()
        world.engine.has.clear()
        world.reconcile()
        assert set(world.engine.has) == {info_hash(world)}
        assert world.said() == before

    def test_fills_the_engine_of_a_new_process(self, world):
        world.engine.has.clear()
        world.restart()
        world.reconcile()
        assert set(world.engine.has) == {info_hash(world)}

    def test_makes_a_torrent_file_again_that_somebody_deleted(self, world):
        lost = world.recordings.objects.pop(f"{KEY}.torrent")
        world.engine.has.clear()
        world.reconcile()
        assert world.recordings.objects[f"{KEY}.torrent"] == lost
        assert set(world.engine.has) == {info_hash(world)}

    def test_leaves_torrents_of_others_alone(self, world):
        world.engine.has["f" * 40] = EngineTorrent(seeding=True)
        world.reconcile()
        assert "f" * 40 in world.engine.has

    def test_waits_for_an_engine_that_is_checking(self):
        world = World()
        world.engine.checks = True
        world.seeder.handle(uploaded())
        assert not world.reconcile()
        assert world.said() == ["TorrentCreated"]
        world.engine.checks = False
        assert world.reconcile()
        assert world.said() == ["TorrentCreated", "SeedingStarted"]

    def test_waits_for_an_engine_that_is_away(self, world):
        world.engine.down = True
        assert world.reconcile()
        world.engine.down = False
        assert world.reconcile()

    def test_waits_for_a_store_that_is_away(self, world):
        before = world.said()
        world.recordings.trouble = Retry("the store is away")
        world.reconcile()
        assert world.said() == before

    def test_goes_on_until_it_is_stopped(self, world):
        stop = threading.Event()
        world.engine.has.clear()
        world.pass_time(minutes=1)
        thread = threading.Thread(target=world.reconciler.run, args=(stop,))
        thread.start()
        deadline = threading.Event()
        for _ in range(500):
            if world.engine.has:
                break
            deadline.wait(0.01)
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
        assert set(world.engine.has) == {info_hash(world)}


class TestHealth:
    def test_of_a_missing_recording_ends_the_seeding(self, world):
        del world.recordings.objects[KEY]
        world.reconcile()
        assert (world.last().why, world.engine.has) == ("missing", {})
        assert "not in the store" in world.last().detail

    def test_of_a_recording_of_another_size_ends_the_seeding(self, world):
        world.recordings.objects[KEY] += b"more"
        world.reconcile()
        assert (world.last().why, world.engine.has) == ("missing", {})
        assert "1004 bytes" in world.last().detail

    def test_that_is_back_begins_it_again(self, world):
        kept = world.recordings.objects.pop(KEY)
        world.reconcile()
        world.reconcile()
        world.recordings.objects[KEY] = kept
        world.reconcile()
        assert world.said()[1:] == ["SeedingStarted", "SeedingStopped", "SeedingStarted"]
        assert set(world.engine.has) == {info_hash(world)}

    def test_is_not_tried_again_while_the_engine_refuses_the_same_bytes(self, world):
        world.engine.has[info_hash(world)] = EngineTorrent(seeding=False, error="bad piece")
        world.engine.refuses = True
        world.reconcile()
        assert (world.last().why, world.last().detail) == ("missing", "the pieces differ")
        tries = world.engine.offered
        world.reconcile()
        world.reconcile()
        assert world.engine.offered == tries


class TestProgress:
    def test_is_said_at_most_once_a_minute(self, world):
        sent(world, 500)
        world.reconcile(minutes=1)
        sent(world, 600)
        world.reconcile(seconds=30)
        assert world.said().count("SeedingProgress") == 1
        world.reconcile(seconds=30)
        assert world.said().count("SeedingProgress") == 2
        assert (world.last().uploaded, world.last().ratio, world.last().peers) == (600, 0.6, 1)

    def test_is_not_said_when_nothing_was_sent(self, world):
        sent(world, 500)
        for _ in range(5):
            world.reconcile(minutes=10)
        assert world.said().count("SeedingProgress") == 1

    def test_goes_on_where_a_forgetful_engine_begins_anew(self, world):
        sent(world, 500)
        world.reconcile()
        world.restart()
        sent(world, 20)
        world.reconcile()
        assert world.last().uploaded == 520

    def test_is_not_counted_twice_from_an_engine_that_remembers(self, world):
        sent(world, 500)
        world.reconcile()
        world.restart()
        sent(world, 700)
        world.reconcile()
        assert world.last().uploaded == 700


class TestLimits:
    def limited(self, **limits):
        world = World(limits=Limits(**limits))
        world.seeder.handle(uploaded())
        return world

    def test_of_ratio_end_the_seeding(self):
        world = self.limited(ratio=2.0)
        sent(world, 2000)
        world.reconcile()
        world.reconcile()
        assert (world.last().why, world.engine.has, world.tracker.allowed) == ("ratio", {}, set())

    def test_of_age_end_the_seeding_for_good(self):
        world = self.limited(age=timedelta(days=1))
        world.reconcile(days=1)
        assert world.last().why == "age"
        world.engine.has[info_hash(world)] = EngineTorrent(seeding=True)
        world.reconcile()
        assert world.engine.has == {}
        assert world.seed().state is State.STOPPED

    def test_of_total_size_end_the_seeding(self):
        world = self.limited(total_bytes=999)
        world.reconcile()
        assert (world.last().why, world.engine.has) == ("space", {})

    def test_are_kept_when_the_engine_is_away_for_a_moment(self):
        world = self.limited(ratio=1.0)
        sent(world, 1000)
        world.reconcile()
        world.engine.down = True
        world.reconcile()
        world.engine.down = False
        world.reconcile()
        assert (world.last().why, world.engine.has) == ("ratio", {})
