"""What is asked for: request, stop, extension, another try; each message as often as it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chronicle_contracts import Event, Ignore, Quarantine
from chronicle_contracts.dispatcher import (
    JobAbandoned,
    JobAccepted,
    JobRejected,
    RecorderLaunched,
)
from chronicle_contracts.portal import JobExtended, RetryRequested, StopRequested
from chronicle_contracts.recorder import CaptureInterrupted
from dispatcher.handlers import Limits
from dispatcher.ports import Refused, Sight

from services.dispatcher.tests.cast import (
    LIVE,
    NOON,
    REQUEST,
    World,
    asked,
    beat,
    discarded,
    failed,
    said,
    uploaded,
)


class TestRequest:
    def test_is_accepted_and_launched_at_once(self, world):
        world.hear(asked(REQUEST))
        accepted, launched = (event.data for event in world.events())
        assert accepted == JobAccepted(
            title="The concert", site="example", live_status="live", protocol="hls"
        )
        assert launched == RecorderLaunched(
            run_id="concert.1", attempt=1, launcher="fake", reference="ref-concert.1"
        )
        assert [event.sequence for event in world.events()] == [1, 2]
        assert {event.stream for event in world.events()} == {"dispatcher/concert"}

    def test_is_named_as_the_cause_of_what_follows(self, world):
        request = asked(REQUEST)
        world.hear(request)
        assert {event.causationid for event in world.events()} == {str(request.id)}

    def test_is_launched_once_however_often_it_comes(self, world):
        for _ in range(5):
            world.hear(asked(REQUEST))
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]
        assert world.launcher.runs == ["concert.1"]
        assert world.preflight.looks == 1

    @pytest.mark.parametrize(
        "code",
        [
            "bad_url",
            "forbidden_scheme",
            "forbidden_address",
            "unreachable",
            "not_found",
            "forbidden",
            "needs_login",
            "blocked",
            "unsupported",
            "no_stream",
            "timeout",
        ],
    )
    def test_is_rejected_with_the_reason(self, world, code):
        world.preflight.sees = Refused(code, "This cannot be recorded.")
        world.hear(asked(REQUEST))
        assert world.last() == JobRejected(code=code, detail="This cannot be recorded.")
        world.pass_time(60)
        assert world.facts() == ["JobRejected"]
        assert world.launcher.runs == []

    def test_of_a_finished_video_is_accepted(self, world):
        world.preflight.sees = Sight(title="Yesterday", live_status="finished", protocol="http")
        world.hear(asked(REQUEST))
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_with_a_subject_that_is_no_job_is_put_aside(self, world):
        event = asked(REQUEST, job="../etc")
        with pytest.raises(Quarantine, match=r"\.\./etc"):
            world.dispatcher.handle(event)

    def test_for_others_is_ignored(self, world):
        event = asked(JobAccepted())
        with pytest.raises(Ignore):
            world.dispatcher.handle(event)


class TestStop:
    @pytest.mark.parametrize("mode", ["keep", "discard"])
    def test_reaches_a_running_recorder(self, world, mode):
        world.hear(asked(REQUEST), asked(StopRequested(mode=mode), 2))
        assert world.launcher.controls == [("ref-concert.1", mode, None)]
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_before_the_launch_gives_the_job_up(self, world):
        world.preflight.sees = Sight(live_status="upcoming", release_at=NOON + timedelta(hours=1))
        stop = asked(StopRequested(), 2)
        for _ in range(3):
            world.hear(asked(REQUEST), stop)
        assert world.facts() == ["JobDeferred", "JobAbandoned"]
        assert world.last() == JobAbandoned(
            code="stopped", detail="Stopped before anything was recorded.", attempts=0
        )
        world.preflight.sees = LIVE
        world.pass_time(4000, step=100)
        assert world.launcher.runs == []

    def test_that_comes_before_the_request_is_not_forgotten(self, world):
        world.hear(asked(StopRequested(), 2))
        assert world.facts() == []
        world.hear(asked(REQUEST))
        assert world.facts() == ["JobAbandoned"]
        assert world.launcher.runs == []

    def test_of_a_finished_job_changes_nothing(self, world):
        world.hear(asked(REQUEST), uploaded(), asked(StopRequested(), 2))
        assert world.launcher.controls == []
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_lets_the_next_attempt_deliver_what_a_lost_one_kept(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(mode="keep"), 2))
        world.launcher.die("concert.1")
        world.pass_time(10)
        assert world.facts()[-2:] == ["RecorderLost", "RecorderLaunched"]
        assert world.launcher.started[-1].stop == "keep"

    def test_and_discard_ends_a_lost_job(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(mode="discard"), 2))
        world.launcher.die("concert.1")
        world.pass_time(10)
        assert world.facts()[-2:] == ["RecorderLost", "JobAbandoned"]
        assert world.launcher.cleaned == ["concert"]

    def test_explains_a_failure_without_a_recording(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(), 2))
        world.launcher.die("concert.1")
        world.hear(failed("nothing_recorded"))
        last = world.last()
        assert isinstance(last, JobAbandoned)
        assert last.code == "stopped"


class TestExtension:
    def test_reaches_a_running_recorder(self, world):
        world.hear(asked(REQUEST), asked(JobExtended(max_duration=7200), 2))
        assert world.launcher.controls == [("ref-concert.1", None, 7200)]

    def test_before_the_launch_counts_from_its_start(self, world):
        world.preflight.sees = Sight(live_status="upcoming", release_at=NOON + timedelta(hours=1))
        request = REQUEST.model_copy(update={"max_duration": 60.0})
        world.hear(asked(request), asked(JobExtended(max_duration=120), 2))
        world.preflight.sees = LIVE
        world.pass_time(3602, step=100)
        assert world.launcher.started[0].max_duration == 120

    def test_keeps_what_else_is_wanted(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(), 2), asked(JobExtended(max_duration=9), 3))
        assert world.launcher.controls[-1] == ("ref-concert.1", "keep", 9)


class TestRetry:
    def test_checks_a_rejected_job_again(self, world):
        world.preflight.sees = Refused("no_stream", "Nobody is live there.")
        world.hear(asked(REQUEST))
        world.preflight.sees = LIVE
        for _ in range(3):
            world.hear(asked(RetryRequested(), 2))
        assert world.facts() == ["JobRejected", "JobAccepted", "RecorderLaunched"]

    def test_brings_the_job_back_under_supervision(self, world):
        world.preflight.sees = Refused("no_stream", "Nobody is live there.")
        world.hear(asked(REQUEST))
        world.pass_time(4)
        world.preflight.sees = LIVE
        world.hear(asked(RetryRequested(), 2))
        world.launcher.die("concert.1")
        world.pass_time(12)
        assert world.launcher.runs == ["concert.1", "concert.2"]

    def test_that_is_rejected_again_says_so_once(self, world):
        world.preflight.sees = Refused("no_stream", "Nobody is live there.")
        world.hear(asked(REQUEST))
        for _ in range(3):
            world.hear(asked(RetryRequested(), 2))
        assert world.facts() == ["JobRejected", "JobRejected"]

    def test_launches_the_next_attempt_of_a_failed_job(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.hear(failed("stream_never_started"))
        world.clock.go_on(60)
        world.hear(asked(RetryRequested(), 2, at=world.clock.now()))
        assert world.launcher.runs == ["concert.1", "concert.2"]
        assert world.facts()[2:] == ["JobAbandoned", "JobAccepted", "RecorderLaunched"]

    def test_takes_an_earlier_stop_back(self, world):
        world.hear(asked(StopRequested(), 2), asked(REQUEST))
        world.hear(asked(RetryRequested(), 3))
        assert world.launcher.runs == ["concert.1"]
        assert world.launcher.started[0].stop is None

    def test_begins_a_discarded_job_anew(self, world):
        world.hear(asked(REQUEST), asked(StopRequested(mode="discard"), 2))
        world.launcher.die("concert.1")
        world.clock.go_on(60)
        world.hear(discarded(), asked(RetryRequested(), 3, at=world.clock.now()))
        assert world.launcher.runs == ["concert.1", "concert.2"]

    def test_of_a_delivered_job_changes_nothing(self, world):
        world.hear(asked(REQUEST), uploaded(), asked(RetryRequested(), 2))
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]

    def test_does_not_wait_for_the_end_of_a_back_off(self, world):
        world.hear(asked(REQUEST))
        world.launcher.die("concert.1")
        world.clock.go_on(1)
        world.hear(failed("upload_failed"), asked(RetryRequested(), 2, at=world.clock.now()))
        assert world.launcher.runs == ["concert.1", "concert.2"]


class TestWords:
    def test_of_a_run_that_nobody_launched_are_kept_without_harm(self, world):
        world.hear(uploaded(job="other"))
        assert world.facts("other") == []

    def test_other_than_the_last_decide_nothing(self, world: World):
        world.hear(asked(REQUEST))
        fact = CaptureInterrupted(run_id="concert.1", attempt=1, cause="stall", media_seconds=1)
        event: Event = said(fact, 3)
        world.hear(event)
        assert world.facts() == ["JobAccepted", "RecorderLaunched"]


class TestBetweenAttempts:
    """An attempt has failed, and the next one is waited for."""

    @pytest.fixture
    def between(self, world):
        world.hear(asked(REQUEST), beat(30.0, 2))
        for attempt in (1, 2, 3):
            world.launcher.die(f"concert.{attempt}")
            world.hear(failed("capture_failed", attempt=attempt))
            if attempt < 3:
                world.pass_time(4)
        assert world.launcher.runs == ["concert.1", "concert.2", "concert.3"]
        return world

    def test_a_stop_and_keep_delivers_what_there_is_at_once(self, between):
        between.hear(asked(StopRequested(mode="keep"), 2))
        assert between.launcher.runs[-1] == "concert.4"
        assert between.launcher.started[-1].stop == "keep"
        between.hear(uploaded(attempt=4))
        between.launcher.die("concert.4")
        between.pass_time(60)
        assert between.launcher.runs[-1] == "concert.4"

    def test_a_stop_and_discard_ends_it_and_keeps_nothing(self, between):
        between.hear(asked(StopRequested(mode="discard"), 2))
        between.pass_time(60)
        last = between.last()
        assert isinstance(last, JobAbandoned)
        assert last.code == "stopped"
        assert between.launcher.cleaned == ["concert"]
        assert between.launcher.runs[-1] == "concert.3"

    def test_a_discard_after_a_keep_still_reaches_the_one_that_delivers(self, between):
        between.hear(asked(StopRequested(mode="keep"), 2))
        between.hear(asked(StopRequested(mode="discard"), 3))
        assert between.launcher.controls[-1] == ("ref-concert.4", "discard", None)

    def test_an_extension_holds_for_the_next(self, between):
        between.hear(asked(JobExtended(max_duration=7200), 2))
        assert between.launcher.runs[-1] == "concert.3"
        between.pass_time(8)
        assert between.launcher.started[-1].max_duration == 7200


class TestWaitingForAPlace:
    @pytest.fixture
    def waiting(self, tmp_path):
        world = World(tmp_path, limits=Limits(most_recordings=1))
        world.hear(asked(REQUEST, job="other"), asked(REQUEST))
        return world

    @pytest.mark.parametrize("mode", ["keep", "discard"])
    def test_is_ended_by_a_stop(self, waiting, mode):
        waiting.hear(asked(StopRequested(mode=mode), 2))
        assert waiting.facts() == ["JobAccepted", "JobDeferred", "JobAbandoned"]

    def test_is_extended_before_it_begins(self, waiting):
        waiting.hear(asked(JobExtended(max_duration=60), 2))
        waiting.launcher.die("other.1")
        waiting.hear(uploaded(job="other"))
        waiting.pass_time(2)
        assert waiting.launcher.started[-1].max_duration == 60
