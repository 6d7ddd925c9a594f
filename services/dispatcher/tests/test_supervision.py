"""What becomes of runs: delivered, failed, lost."""

from __future__ import annotations

import pytest
from chronicle_contracts.dispatcher import JobAbandoned, RecorderLost
from chronicle_contracts.portal import StopRequested
from chronicle_contracts.recorder import CaptureInterrupted
from dispatcher.domain.failure import PASSING

from services.dispatcher.tests.cast import (
    REQUEST,
    asked,
    beat,
    discarded,
    failed,
    said,
    uploaded,
)


def record(world, seconds, *, attempt=1, step=10):
    """A run records for so long and says so."""
    for second in range(0, seconds, step):
        world.hear(beat(second + 1.0, second + 2, attempt=attempt))
        world.pass_time(step)


def lost_runs(world):
    facts = [event.data for event in world.events()]
    return [(fact.run_id, fact.reason) for fact in facts if isinstance(fact, RecorderLost)]


class TestDelivered:
    def test_is_tidied_up_once_the_process_has_ended(self, world):
        world.hear(asked(REQUEST), uploaded())
        world.pass_time(10)
        assert world.launcher.cleaned == []
        world.launcher.die("concert.1")
        world.pass_time(10)
        assert world.launcher.cleaned == ["concert"]
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_ends_a_process_that_does_not_go(self, world):
        world.hear(asked(REQUEST), uploaded())
        world.pass_time(70)
        assert world.launcher.killed == ["ref-concert.1"]
        assert world.launcher.cleaned == ["concert"]

    def test_stays_so_when_the_dispatcher_starts_anew(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(uploaded())
        world.start()
        world.pass_time(300)
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_by_an_earlier_attempt_is_delivered(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.pass_time(10)
        assert world.launcher.runs == ["concert.1", "concert.2"]
        # The second only passes on the last words of the first, and has none of its own.
        world.hear(uploaded(attempt=1))
        world.launcher.die("concert.2")
        world.pass_time(60)
        assert world.facts() == [
            "JobAccepted",
            "RecorderLaunched",
            "RecorderLost",
            "RecorderLaunched",
        ]

    def test_nothing_is_left_of_what_was_discarded(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(mode="discard"), 2), discarded())
        world.launcher.die("concert.1")
        world.pass_time(60)
        assert world.launcher.cleaned == ["concert"]
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]


class TestFailed:
    @pytest.mark.parametrize("code", sorted(PASSING))
    def test_is_launched_again_where_the_trouble_can_pass(self, world, code):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(failed(code))
        assert world.launcher.runs == ["concert.1"]
        world.pass_time(4)
        assert world.launcher.runs == ["concert.1", "concert.2"]

    @pytest.mark.parametrize(
        "code", ["stream_never_started", "unsupported", "forbidden_address", "something_new"]
    )
    def test_is_given_up_where_it_cannot(self, world, code):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(failed(code))
        assert world.last() == JobAbandoned(code=code, detail=f"It is {code}.", attempts=1)

    def test_leaves_no_folder_where_nothing_was_recorded(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(failed("stream_never_started"))
        assert world.launcher.cleaned == ["concert"]

    def test_by_an_attempt_before_the_newest_changes_nothing(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.pass_time(10)
        world.hear(failed("unsupported", attempt=1))
        world.pass_time(10)
        assert world.facts()[-1] == "RecorderLaunched"

    def test_waits_until_the_process_has_let_go_of_the_work_folder(self, world):
        world.hear(asked(REQUEST), failed("capture_failed"))
        world.pass_time(20)
        assert world.launcher.runs == ["concert.1"]
        world.launcher.die("concert.1")
        world.pass_time(2)
        assert world.launcher.runs == ["concert.1", "concert.2"]


class TestLost:
    def test_is_a_run_whose_process_ended_without_a_last_word(self, world):
        world.hear(asked(REQUEST))
        record(world, 20)
        world.launcher.die("concert.1")
        world.pass_time(4)
        assert world.facts()[-1] == "RecorderLaunched"
        world.pass_time(4)
        assert lost_runs(world) == [("concert.1", "exited")]
        world.pass_time(4)
        assert world.launcher.runs == ["concert.1", "concert.2"]

    def test_is_no_run_whose_last_word_was_on_the_way(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.pass_time(4)
        world.hear(uploaded())
        world.pass_time(60)
        assert "RecorderLost" not in world.facts()

    def test_is_a_run_whose_media_time_stands_still(self, world):
        world.hear(asked(REQUEST))
        record(world, 20)
        for turn in range(18):
            world.hear(beat(11.0, 100 + turn))
            world.pass_time(5)
        assert lost_runs(world) == [("concert.1", "silent")]
        assert world.launcher.killed == ["ref-concert.1"]

    def test_is_a_run_of_which_nothing_is_heard_at_all(self, world):
        world.hear(asked(REQUEST))
        world.pass_time(88)
        assert world.facts()[-1] == "RecorderLaunched"
        world.pass_time(4)
        assert lost_runs(world) == [("concert.1", "silent")]

    def test_is_no_run_that_says_it_waits_for_media(self, world):
        world.hear(asked(REQUEST))
        record(world, 20)
        fact = CaptureInterrupted(run_id="concert.1", attempt=1, cause="stall", media_seconds=11)
        world.hear(said(fact, 50))
        for turn in range(40):
            world.hear(beat(11.0, 100 + turn))
            world.pass_time(5)
        assert world.facts()[-1] == "RecorderLaunched"

    def test_is_no_run_that_delivers_for_long(self, world):
        world.hear(asked(REQUEST))
        record(world, 20)
        for turn in range(40):
            world.hear(beat(11.0, 100 + turn, phase="UPLOADING"))
            world.pass_time(5)
        assert world.facts()[-1] == "RecorderLaunched"

    def test_is_no_run_that_nobody_can_hear(self, world):
        world.hear(asked(REQUEST))
        record(world, 20)
        world.link.since = None
        world.pass_time(300)
        assert world.facts()[-1] == "RecorderLaunched"
        world.link.since = world.clock.now()
        world.pass_time(80)
        assert world.facts()[-1] == "RecorderLaunched"
        assert world.launcher.killed == []

    def test_leaves_tries_for_the_time_when_it_can_be_heard_again(self, world):
        world.hear(asked(REQUEST))
        world.link.since = None
        for attempt in range(1, 10):
            world.launcher.die(f"concert.{attempt}")
            world.pass_time(60)
        assert world.launcher.runs == ["concert.1", "concert.2", "concert.3"]
        world.link.since = world.clock.now()
        world.pass_time(30)
        assert world.launcher.runs[-1] == "concert.4"

    def test_goes_on_when_the_dispatcher_starts_anew(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.start()
        world.pass_time(12)
        assert world.launcher.runs == ["concert.1", "concert.2"]


class TestLaunchFailure:
    def test_is_said_and_tried_again_as_the_same_run(self, world):
        world.launcher.broken = True
        world.hear(asked(REQUEST))
        assert world.facts() == ["JobAccepted", "LaunchFailed"]
        world.launcher.broken = False
        world.pass_time(2)
        assert world.launcher.runs == ["concert.1"]
