"""Streams that have not begun: when they are looked at, and that their first second is caught."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chronicle_contracts import naming
from chronicle_contracts.dispatcher import JobDeferred, JobRejected
from chronicle_contracts.portal import RetryRequested, StopRequested
from dispatcher.domain import admission
from dispatcher.domain.dispatch import Dispatch
from dispatcher.domain.look import (
    FAR,
    LAG,
    LEAD,
    OVERDUE,
    SOONEST,
    SPARED,
    Look,
    due_at,
    pause,
)
from dispatcher.handlers import Limits
from dispatcher.ports import Refused, Sight
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.tests.cast import LIVE, NOON, REQUEST, asked, beat, uploaded

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
NOBODY = Refused("no_stream", "Nobody is live there.")
AWAY = Refused("unreachable", "The site cannot be reached.")

seconds = st.integers(0, 30 * 24 * 3600).map(lambda number: number * SECOND)


def announced(begins):
    return Sight(title="Soon", live_status="upcoming", release_at=begins)


class TestRhythm:
    @given(seconds)
    def test_has_bounds(self, left):
        before = pause(NOON - left, begins=NOON, since=NOON - 2 * left)
        after = pause(NOON + left, begins=NOON, since=NOON - left)
        unknown = pause(NOON + left, begins=None, since=NOON)
        assert SOONEST <= before <= FAR
        assert SOONEST <= after <= OVERDUE
        assert unknown == after

    @given(seconds, seconds)
    def test_tightens_as_the_start_comes_nearer(self, one, other):
        near, far = sorted([one, other])
        soon = pause(NOON - near, begins=NOON, since=NOON - 2 * far)
        late = pause(NOON - far, begins=NOON, since=NOON - 2 * far)
        assert soon <= late

    @given(seconds)
    def test_never_sleeps_past_the_start(self, left):
        look = NOON - left
        assert look + pause(look, begins=NOON, since=look) <= max(NOON, look + SOONEST)

    @given(seconds)
    def test_comes_to_the_start_within_seconds(self, left):
        look, looks = NOON - left, 0
        while look < NOON:
            look, looks = look + pause(look, begins=NOON, since=look), looks + 1
        assert look - NOON <= SOONEST
        # A month ahead takes no more looks than an hour each, and some for the last day.
        assert looks <= left / FAR + 120

    @given(seconds, seconds)
    def test_looks_into_trouble_and_spares_the_site(self, left, troubled):
        last = NOON - left
        calm = pause(last, begins=NOON, since=last)
        troubled = pause(last, begins=NOON, since=last, troubled_since=last - troubled)
        assert SPARED <= troubled <= max(calm, SPARED)

    @pytest.mark.parametrize(
        ("left", "between"),
        [(86400, 3600), (3600, 360), (600, 60), (60, 6), (30, 5), (0, 5), (-900, 30), (-7200, 120)],
    )
    def test_is_documented(self, left, between):
        last = NOON - left * SECOND
        assert pause(last, begins=NOON, since=NOON) == between * SECOND


class TestDue:
    def deferred(self, fact, at=NOON):
        dispatch = Dispatch.at_stream(naming.dispatcher_stream("concert"), "concert", NOON)
        dispatch.record(fact, at=at)
        return dispatch

    def test_is_a_moment_before_a_time_of_ones_own_and_never_earlier(self):
        begins = NOON + 24 * HOUR
        dispatch = self.deferred(JobDeferred(reason="scheduled", until=begins))
        assert due_at(dispatch, None) == begins - LEAD

    def test_follows_the_rhythm_for_an_announced_stream(self):
        dispatch = self.deferred(JobDeferred(reason="upcoming", until=NOON + HOUR))
        assert due_at(dispatch, None) == NOON + HOUR / 10
        look = Look("concert", NOON + HOUR / 2)
        assert due_at(dispatch, look) == NOON + HOUR / 2 + HOUR / 20

    def test_begins_anew_with_a_new_time(self):
        dispatch = self.deferred(JobDeferred(reason="upcoming", until=NOON + 10 * HOUR), at=NOON)
        old = Look("concert", NOON - HOUR)
        assert due_at(dispatch, old) == NOON + HOUR


class TestAnnounced:
    def test_is_deferred_until_it_begins(self, world):
        begins = NOON + HOUR
        world.preflight.sees = announced(begins)
        world.hear(asked(REQUEST))
        assert world.last() == JobDeferred(reason="upcoming", until=begins, title="Soon")
        world.pass_time(3590, step=5)
        assert world.facts() == ["JobDeferred"]
        world.preflight.sees = LIVE
        world.pass_time(16)
        assert world.facts() == ["JobDeferred", "JobAccepted", "RecorderLaunched"]

    def test_is_looked_at_seldom_far_ahead_and_often_at_the_end(self, world):
        world.preflight.sees = announced(NOON + 24 * HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(12 * 3600, step=60)
        assert 10 <= world.preflight.looks <= 16
        world.pass_time(12 * 3600 - 60, step=10)
        before = world.preflight.looks
        world.pass_time(60, step=1)
        assert world.preflight.looks - before >= 8

    def test_that_begins_early_is_not_missed(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(1800)
        world.preflight.sees = LIVE
        world.pass_time(300)
        assert world.launcher.runs[:1] == ["concert.1"]

    def test_that_is_late_is_waited_for_without_a_word(self, world):
        world.preflight.sees = announced(NOON)
        world.hear(asked(REQUEST))
        world.pass_time(1200)
        assert world.facts() == ["JobDeferred"]
        world.preflight.sees = LIVE
        world.pass_time(60)
        assert world.launcher.runs == ["concert.1"]

    def test_that_is_moved_is_followed(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.preflight.sees = announced(NOON + 3 * HOUR)
        world.pass_time(3600, step=10)
        assert world.last() == JobDeferred(reason="upcoming", until=NOON + 3 * HOUR, title="Soon")
        assert world.facts() == ["JobDeferred", "JobDeferred"]
        world.preflight.sees = announced(NOON + 2 * HOUR)
        world.pass_time(1800, step=10)
        world.preflight.sees = LIVE
        world.pass_time(1900, step=10)
        assert world.launcher.runs[:1] == ["concert.1"]

    def test_that_is_counted_anew_at_each_look_is_said_now_and_then(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        for second in range(0, 3300, 10):
            world.preflight.sees = announced(NOON + HOUR + second / 100 * SECOND)
            world.pass_time(10)
        assert world.facts() == ["JobDeferred"]

    def test_without_a_known_time_is_waited_for_as_long_as_it_takes(self, world):
        world.preflight.sees = announced(None)
        world.hear(asked(REQUEST))
        world.pass_time(6 * 3600, step=60)
        assert world.facts() == ["JobDeferred"]
        world.preflight.sees = LIVE
        world.pass_time(150)
        assert world.launcher.runs[:1] == ["concert.1"]

    def test_that_is_cancelled_is_rejected_after_a_while(self, world):
        world.preflight.sees = announced(NOON + 24 * HOUR)
        world.hear(asked(REQUEST))
        world.preflight.sees = Refused("not_found", "The video was removed.")
        world.pass_time(3600 + 1200, step=10)
        assert world.facts() == ["JobDeferred", "JobRejected"]

    def test_whose_page_is_gone_for_a_minute_is_not_given_up(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(3500, step=5)
        world.preflight.sees = NOBODY
        world.pass_time(300, step=5)
        world.preflight.sees = LIVE
        world.pass_time(60, step=5)
        assert world.launcher.runs == ["concert.1"]

    def test_whose_site_is_away_for_hours_is_not_given_up(self, world):
        world.preflight.sees = announced(NOON + 48 * HOUR)
        world.hear(asked(REQUEST))
        world.preflight.sees = AWAY
        world.pass_time(5 * 3600, step=60)
        world.preflight.sees = announced(NOON + 48 * HOUR)
        world.pass_time(3700, step=60)
        world.preflight.sees = AWAY
        world.pass_time(5 * 3600, step=60)
        assert world.facts() == ["JobDeferred"]

    def test_that_turns_out_to_need_a_login_is_rejected_at_once(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.preflight.sees = Refused("needs_login", "Members only.")
        world.pass_time(400)
        assert world.last() == JobRejected(code="needs_login", detail="Members only.")

    def test_is_looked_at_in_its_rhythm_by_a_dispatcher_that_starts_anew(self, world):
        world.preflight.sees = announced(NOON + 24 * HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(3600, step=60)
        before = world.preflight.looks
        for _ in range(5):
            world.start()
            world.pass_time(10)
        assert world.preflight.looks == before

    def test_is_looked_at_once_where_two_look_after_it(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        with world.open() as store:
            other = world.another(store)
            for _ in range(200):
                world.clock.go_on(2)
                world.dispatcher.tick()
                other.tick()
        assert world.preflight.looks == 2

    def test_is_looked_at_at_once_where_somebody_asks_for_it(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.preflight.sees = LIVE
        world.hear(asked(RetryRequested(), 2, at=world.clock.now()))
        assert world.launcher.runs == ["concert.1"]


class TestFirstSecond:
    def test_is_caught_up_with_from_before_the_last_look_in_vain(self, world):
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(3600, step=1)
        in_vain = world.clock.now()
        world.preflight.sees = LIVE
        world.pass_time(10, step=1)
        catch_up = world.launcher.started[0].catch_up
        assert in_vain - LAG - SOONEST <= catch_up <= in_vain - LAG

    def test_is_still_known_after_a_new_start_and_a_wait_for_a_place(self, world):
        world.launcher.broken = True
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST))
        world.pass_time(3600)
        world.preflight.sees = LIVE
        world.pass_time(10)
        world.launcher.broken = False
        world.start()
        world.pass_time(60)
        assert world.launcher.started[0].catch_up < NOON + HOUR

    def test_is_not_asked_for_of_a_stream_that_was_on_before(self, world):
        world.hear(asked(REQUEST))
        assert world.launcher.started[0].catch_up is None

    def test_is_caught_up_with_after_a_wait_for_a_place(self, world):
        world.limits = Limits(most_recordings=1)
        world.start()
        world.hear(asked(REQUEST, job="other"), asked(REQUEST))
        world.pass_time(60)
        world.launcher.die("other.1")
        world.hear(uploaded(job="other"))
        world.pass_time(2)
        assert world.launcher.started[-1].catch_up == NOON

    def test_of_a_lost_recording_is_what_came_since_its_newest_media(self, world):
        world.hear(asked(REQUEST))
        world.pass_time(60)
        world.hear(beat(55.0, 2))
        world.pass_time(8)
        world.launcher.die("concert.1")
        world.pass_time(20)
        assert world.launcher.started[1].catch_up == NOON + 60 * SECOND

    def test_of_ones_own_time_is_waited_for_by_a_recorder(self, world):
        begins = NOON + HOUR
        world.hear(asked(REQUEST.model_copy(update={"start_at": begins})))
        world.pass_time(3600 - 8, step=1)
        assert world.launcher.runs == ["concert.1"]
        assert world.launcher.started[0].catch_up is None

    def test_of_ones_own_time_is_caught_up_with_where_the_dispatcher_was_away(self, world):
        begins = NOON + HOUR
        world.hear(asked(REQUEST.model_copy(update={"start_at": begins})))
        world.clock.go_on(3900)
        world.start()
        world.pass_time(2)
        assert world.launcher.started[0].catch_up == begins


class TestOwnTime:
    def test_looks_at_the_address_only(self, world):
        begins = NOON + timedelta(minutes=10)
        world.hear(asked(REQUEST.model_copy(update={"start_at": begins})))
        assert world.last() == JobDeferred(reason="scheduled", until=begins)
        world.pass_time(580)
        assert world.preflight.looks == 0
        world.pass_time(20)
        assert world.facts() == ["JobDeferred", "JobAccepted", "RecorderLaunched"]

    def test_makes_no_sense_for_a_forbidden_address(self, world):
        world.preflight.sees = Refused("forbidden_address", "It is not public.")
        world.hear(asked(REQUEST.model_copy(update={"start_at": NOON + timedelta(minutes=10)})))
        assert world.facts() == ["JobRejected"]

    @pytest.mark.parametrize("trouble", [NOBODY, AWAY, Refused("timeout", "No answer.")])
    def test_is_prolonged_where_nothing_is_there_in_that_minute(self, world, trouble):
        world.preflight.sees = trouble
        world.hear(asked(REQUEST.model_copy(update={"start_at": NOON + timedelta(minutes=1)})))
        world.pass_time(600)
        assert world.facts() == ["JobDeferred"]
        world.preflight.sees = LIVE
        world.pass_time(40)
        assert world.launcher.runs == ["concert.1"]

    def test_that_has_come_is_enough_for_a_first_look_in_vain(self, world):
        world.preflight.sees = NOBODY
        world.hear(asked(REQUEST.model_copy(update={"start_at": NOON - SECOND})))
        assert world.facts() == ["JobDeferred"]

    def test_has_an_end(self, world):
        world.preflight.sees = NOBODY
        world.hear(asked(REQUEST.model_copy(update={"start_at": NOON + timedelta(minutes=1)})))
        world.pass_time(1200)
        assert world.facts() == ["JobDeferred", "JobRejected"]

    def test_has_the_same_end_for_the_domain(self):
        verdict = admission.refused(
            "no_stream",
            "Nobody.",
            start_at=NOON,
            waits=None,
            troubled_since=NOON,
            now=NOON + admission.LATENESS,
        )
        assert verdict == JobRejected(code="no_stream", detail="Nobody.")

    def test_survives_a_new_start_of_the_dispatcher(self, world):
        world.hear(asked(REQUEST.model_copy(update={"start_at": NOON + timedelta(minutes=1)})))
        world.start()
        world.pass_time(62)
        assert world.launcher.runs == ["concert.1"]

    def test_becomes_the_streams_time_where_the_site_knows_one(self, world):
        start_at = NOON + timedelta(minutes=1)
        world.preflight.sees = announced(NOON + HOUR)
        world.hear(asked(REQUEST.model_copy(update={"start_at": start_at})))
        world.pass_time(120)
        assert world.last() == JobDeferred(reason="upcoming", until=NOON + HOUR, title="Soon")


class TestStop:
    @pytest.mark.parametrize("mode", ["keep", "discard"])
    @pytest.mark.parametrize("sees", [announced(NOON + HOUR), announced(None)])
    def test_ends_the_waiting(self, world, mode, sees):
        world.preflight.sees = sees
        world.hear(asked(REQUEST), asked(StopRequested(mode=mode), 2))
        assert world.facts() == ["JobDeferred", "JobAbandoned"]
        world.preflight.sees = LIVE
        world.pass_time(7200, step=60)
        assert world.launcher.runs == []
        assert world.preflight.looks == 1
