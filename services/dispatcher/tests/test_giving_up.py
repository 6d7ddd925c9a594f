"""How often a job is tried, what counts as getting on, and what is delivered in the end."""

from __future__ import annotations

import pytest
from chronicle_contracts.dispatcher import JobAbandoned, RecorderLaunched
from chronicle_contracts.portal import RetryRequested, StopRequested
from dispatcher.domain.backoff import MOST_DELIVERIES, MOST_TRIES, PROGRESS, wait_after

from services.dispatcher.tests.cast import REQUEST, asked, beat, failed, uploaded


def run_of(world):
    return world.launcher.runs[-1]


def fall(world, *, media=(), code=None):
    """The newest run says how far it came, and ends: with a last word (`code`) or without."""
    attempt = len(world.launcher.runs)
    for number, seconds in enumerate(media, 1):
        world.hear(beat(seconds, number, attempt=attempt))
    world.launcher.die(f"concert.{attempt}")
    if code is not None:
        world.hear(failed(code, attempt=attempt))


def wait_for_the_next(world, *, most=200):
    """Seconds until another run is launched; None where none is."""
    before, runs = world.clock.now(), len(world.launcher.runs)
    while len(world.launcher.runs) == runs:
        if (world.clock.now() - before).total_seconds() >= most:
            return None
        world.pass_time(1, step=1)
    return (world.clock.now() - before).total_seconds()


class TestBackOff:
    def test_doubles_up_to_a_minute(self):
        waits = [wait_after(tries).total_seconds() for tries in range(1, MOST_TRIES)]
        assert waits == [2, 4, 8, 16, 32, 60, 60]
        assert wait_after(10_000).total_seconds() == 60


class TestPoison:
    def test_is_given_up_after_eight_attempts_with_longer_and_longer_waits(self, world):
        world.hear(asked(REQUEST))
        waits = []
        for _ in range(MOST_TRIES):
            fall(world, code="upload_failed")
            waits.append(wait_for_the_next(world))
        assert waits == [2, 4, 8, 16, 32, 60, 60, None]
        assert world.last() == JobAbandoned(
            code="upload_failed",
            detail="Given up after 8 attempts: It is upload_failed.",
            attempts=8,
        )
        assert world.launcher.cleaned == ["concert"]

    def test_is_given_up_where_it_takes_its_recorders_down(self, world):
        world.hear(asked(REQUEST))
        for _ in range(MOST_TRIES):
            fall(world)
            wait_for_the_next(world)
        last = world.last()
        assert isinstance(last, JobAbandoned)
        assert (last.code, last.attempts) == ("recorder_lost", MOST_TRIES)

    def test_is_given_up_where_it_cannot_be_launched(self, world):
        world.launcher.broken = True
        world.hear(asked(REQUEST))
        world.pass_time(400)
        assert world.facts() == ["JobAccepted", *["LaunchFailed"] * MOST_TRIES, "JobAbandoned"]
        assert world.last() == JobAbandoned(
            code="launch_failed",
            detail="Given up after 8 attempts: There is no such program.",
            attempts=0,
        )


class TestDelivery:
    """What was saved is delivered before a job is given up."""

    @pytest.fixture
    def poisoned(self, world):
        world.hear(asked(REQUEST))
        for attempt in range(MOST_TRIES):
            fall(world, media=[attempt + 1.0, attempt + 3.0])
            wait_for_the_next(world)
        return world

    def test_is_tried_by_a_run_that_records_nothing_more(self, poisoned):
        launched = poisoned.last()
        assert isinstance(launched, RecorderLaunched)
        assert (launched.attempt, launched.deliver_only) == (MOST_TRIES + 1, True)
        flags = [launch.deliver_only for launch in poisoned.launcher.started]
        assert flags == [*[False] * MOST_TRIES, True]

    def test_completes_the_job(self, poisoned):
        poisoned.launcher.die(run_of(poisoned))
        poisoned.hear(uploaded(attempt=MOST_TRIES + 1))
        poisoned.pass_time(120)
        assert poisoned.facts()[-1] == "RecorderLaunched"
        assert "concert" in poisoned.launcher.cleaned

    def test_is_tried_again_where_its_machine_is_lost(self, poisoned):
        waits = []
        for _ in range(MOST_DELIVERIES):
            fall(poisoned)
            waits.append(wait_for_the_next(poisoned))
        assert waits[-1] is None
        assert all(waits[:-1])
        last = poisoned.last()
        assert isinstance(last, JobAbandoned)
        assert last.attempts == MOST_TRIES + MOST_DELIVERIES
        # It is kept on the disk for whoever asks for another try.
        assert poisoned.launcher.cleaned == []

    def test_is_not_tried_again_where_there_is_nothing(self, poisoned):
        fall(poisoned, code="nothing_recorded")
        poisoned.pass_time(10)
        last = poisoned.last()
        assert isinstance(last, JobAbandoned)
        assert last.code == "nothing_recorded"

    def test_goes_on_after_a_new_start_of_the_dispatcher(self, poisoned):
        poisoned.start()
        fall(poisoned)
        wait_for_the_next(poisoned)
        assert [one.deliver_only for one in poisoned.launcher.started[-2:]] == [True, True]

    def test_is_tried_where_one_failure_was_final(self, world):
        world.hear(asked(REQUEST))
        fall(world, media=[12.0], code="unusable_media")
        assert world.launcher.started[-1].deliver_only

    def test_is_left_out_where_somebody_discards(self, poisoned):
        poisoned.hear(asked(StopRequested(mode="discard"), 2))
        fall(poisoned)
        poisoned.pass_time(60)
        last = poisoned.last()
        assert isinstance(last, JobAbandoned)
        assert last.code == "stopped"
        assert poisoned.launcher.cleaned == ["concert"]

    def test_gives_way_to_another_try_that_somebody_asks_for(self, poisoned):
        poisoned.hear(asked(RetryRequested(), 2, at=poisoned.clock.now()))
        fall(poisoned)
        poisoned.pass_time(10)
        assert not poisoned.launcher.started[-1].deliver_only


class TestProgress:
    def test_is_a_new_beginning_however_often_the_machine_is_lost(self, world):
        world.hear(asked(REQUEST))
        recorded = 0.0
        for _ in range(3 * MOST_TRIES):
            fall(world, media=[recorded, recorded + PROGRESS])
            recorded += PROGRESS
            waited = wait_for_the_next(world)
            assert waited is not None
            assert waited < 8  # for its last words, and the first wait
        assert "JobAbandoned" not in world.facts()
        assert not any(launch.deliver_only for launch in world.launcher.started)

    def test_is_more_than_a_few_seconds(self, world):
        world.hear(asked(REQUEST))
        recorded = 0.0
        for _ in range(MOST_TRIES):
            fall(world, media=[recorded, recorded + PROGRESS - 1])
            recorded += PROGRESS - 1
            wait_for_the_next(world)
        assert world.launcher.started[-1].deliver_only

    def test_is_what_a_run_adds_not_where_it_stands(self, world):
        world.hear(asked(REQUEST))
        fall(world, media=[0.0, 1000.0])
        waits = []
        for _ in range(3):
            wait_for_the_next(world)
            fall(world, media=[1000.0, 1001.0], code="capture_failed")
            waits.append(wait_for_the_next(world))
            fall(world, media=[1001.0], code="capture_failed")
        assert waits == sorted(waits)
        assert len(set(waits)) > 1

    def test_is_seen_where_a_new_machine_begins_at_nought(self, world):
        world.hear(asked(REQUEST))
        fall(world, media=[0.0, 1000.0])
        wait_for_the_next(world)
        fall(world, media=[0.0, 100.0], code="capture_failed")
        assert wait_for_the_next(world) == 2

    def test_lets_the_count_begin_with_the_attempt_that_got_on(self, world):
        world.hear(asked(REQUEST))
        for _ in range(5):
            fall(world, code="capture_failed")
            wait_for_the_next(world)
        fall(world, media=[0.0, 500.0], code="capture_failed")
        waits = []
        for _ in range(3):
            waits.append(wait_for_the_next(world))
            fall(world, code="capture_failed")
        assert waits == [2, 4, 8]
