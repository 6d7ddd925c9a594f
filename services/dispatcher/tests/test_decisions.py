"""The domain alone: given these events, when something is heard, then this is decided."""

from __future__ import annotations

from datetime import timedelta

from chronicle_contracts import naming
from chronicle_contracts.dispatcher import (
    JobAccepted,
    LaunchFailed,
    RecorderLaunched,
    RecorderLost,
)
from chronicle_contracts.portal import JobExtended, JobRequested, RetryRequested, StopRequested
from dispatcher.domain.decision import Process, Situation
from dispatcher.domain.dispatch import Dispatch, Standing
from dispatcher.domain.order import Order
from dispatcher.domain.step import Abandon, Check, Lose, Start, Wait
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.tests.cast import NOON, REQUEST, asked

SECOND = timedelta(seconds=1)
RUNS = Process(gone_since=None, listening_since=NOON)
REQUESTED = asked(REQUEST)
LAUNCHED = RecorderLaunched(run_id="concert.1", attempt=1, launcher="fake", reference="1:1")
LOST = RecorderLost(run_id="concert.1", attempt=1, reason="exited", detail="Gone.")


def history(*facts, cause=REQUESTED, at=NOON):
    dispatch = Dispatch.at_stream(naming.dispatcher_stream("concert"), "concert", NOON)
    for fact in facts:
        dispatch.record(fact, at=at, cause=cause)
    return dispatch


def decide(dispatch, *portal, process=RUNS, now=NOON, runs=()):
    return Situation(dispatch, Order.of(portal), runs, process, now).next_step()


class TestDecision:
    def test_is_to_look_first(self):
        assert decide(history(), REQUESTED) == Check(REQUESTED)

    def test_is_to_wait_for_a_request_that_was_overtaken(self):
        assert decide(history(), asked(StopRequested(), 2)) == Wait()

    def test_is_to_launch_what_was_accepted(self):
        assert decide(history(JobAccepted()), REQUESTED) == Start(1, REQUESTED)

    def test_is_to_launch_again_after_a_while(self):
        failed = LaunchFailed(
            run_id="concert.1", attempt=1, launcher="fake", code="launch_failed", detail="No."
        )
        fallen = history(JobAccepted(), failed, failed)
        assert decide(fallen, REQUESTED, now=NOON + 3 * SECOND) == Wait()
        assert decide(fallen, REQUESTED, now=NOON + 4 * SECOND) == Start(1, REQUESTED)

    def test_is_not_to_wait_again_for_a_run_whose_last_word_was_waited_for(self):
        fallen = history(JobAccepted(), LAUNCHED, LOST)
        assert decide(fallen, REQUESTED) == Start(2, REQUESTED)

    def test_is_to_give_a_lost_run_a_moment(self):
        running = history(JobAccepted(), LAUNCHED)
        gone = Process(gone_since=NOON, listening_since=NOON)
        assert decide(running, REQUESTED, process=gone, now=NOON + 4 * SECOND) == Wait()
        step = decide(running, REQUESTED, process=gone, now=NOON + 5 * SECOND)
        assert isinstance(step, Lose)
        assert step.reason == "exited"

    def test_is_to_wait_for_last_words_when_the_line_has_just_come_up(self):
        running = history(JobAccepted(), LAUNCHED)
        up = Process(gone_since=NOON, listening_since=NOON + 60 * SECOND)
        assert decide(running, REQUESTED, process=up, now=NOON + 61 * SECOND) == Wait()

    def test_is_to_stop_before_a_place_is_free(self):
        stop = asked(StopRequested(), 2)
        step = decide(history(JobAccepted()), REQUESTED, stop)
        assert isinstance(step, Abandon)
        assert (step.code, step.cause) == ("stopped", stop)


class TestDispatch:
    def test_counts_tries_from_its_last_acceptance(self):
        dispatch = history(JobAccepted(), LAUNCHED, LOST, JobAccepted())
        assert (dispatch.attempt, dispatch.tried) == (1, [])
        assert dispatch.standing is Standing.ACCEPTED

    def test_knows_what_it_has_answered(self):
        retry = asked(RetryRequested(), 2)
        dispatch = history(JobAccepted())
        assert dispatch.has_answered(REQUESTED)
        assert not dispatch.has_answered(retry)


class TestOrder:
    @given(
        st.permutations(
            [
                REQUESTED,
                asked(StopRequested(mode="discard"), 2),
                asked(RetryRequested(), 3),
                asked(JobExtended(max_duration=60), 4),
                asked(JobExtended(max_duration=90), 5),
                asked(StopRequested(mode="keep"), 6),
            ]
        )
    )
    def test_is_the_same_however_it_arrived(self, events):
        order = Order.of(events)
        assert order.request == REQUEST
        assert (order.stop_mode, order.max_duration) == ("keep", 90)

    def test_is_without_limit_where_somebody_took_it_away(self):
        limited = JobRequested(url="http://x.example", key="k", filename="f", max_duration=5)
        order = Order.of([asked(limited), asked(JobExtended(max_duration=None), 2)])
        assert order.max_duration is None
