"""How a recording ends, and what is said of that; with a clock that is waited forward."""

import pytest
from chronicle_contracts.recorder import CaptureInterrupted, RecordingEnded
from recorder.domain.ending import Outcome
from recorder.domain.hindrance import Hindrance
from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream
from recorder.ports import Wish

from services.recorder.tests.cast import BROKEN, ENDED, LIVE, OVER, REFUSED, World

AWAY = SourceProblem("unreachable", "The server cannot be reached.")
OFFLINE = SourceProblem("no_stream", "There is no stream there now.")
UPCOMING = Stream("hls", "upcoming", None)
GONE = SourceProblem("not_found", "There is nothing there.")
LOGIN = SourceProblem("needs_login", "It is only for people with an account.")
BLOCKED = SourceProblem("blocked", "The site refuses this machine.")
FORBIDDEN = SourceProblem("forbidden", "The server refuses it.")
DRM = SourceProblem("unsupported", "It cannot be recorded.")


@pytest.fixture
def world():
    return World()


def end_of(world):
    [ended] = world.facts(RecordingEnded)
    return ended


class TestEnds:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            (OFFLINE, "offline"),
            (UPCOMING, "offline"),
            (GONE, "gone"),
            (DRM, "gone"),
            (LOGIN, "needs_login"),
            (BLOCKED, "blocked"),
            (FORBIDDEN, "blocked"),
        ],
    )
    def test_are_what_the_site_says_once_it_was_said_for_a_while(self, world, answer, why):
        world.ends = {10: BROKEN}
        world.site_answers = [LIVE, answer]
        assert world.record(offline_timeout=60) is Outcome.DELIVERED
        assert end_of(world).why == why
        assert 10 + 60 < world.time < 10 + 90
        assert end_of(world).detail.endswith(".")

    def test_come_soon_when_the_site_says_twice_that_it_is_over(self, world):
        world.ends = {10: BROKEN}
        world.site_answers = [LIVE, OVER]
        world.record()
        assert (end_of(world).why, world.time < 20) == ("ended", True)
        assert world.questions == 3

    @pytest.mark.parametrize(("behind", "why"), [((10, 300), "end mark"), ((0, 0), "over")])
    def test_wait_for_what_the_source_offered_before(self, world, behind, why):
        world.pauses, world.behind = [(10, 50)], behind
        world.ends = {100: ENDED}
        world.site_answers = [LIVE, OVER]
        world.record()
        assert why in end_of(world).detail

    def test_are_frozen_when_the_site_says_live_and_nothing_comes(self, world):
        world.pauses = [(10, 10_000)]
        world.record(idle_timeout=180)
        assert end_of(world).why == "frozen"
        assert 10 + 240 < world.time < 10 + 280
        assert len(world.streams) == 2, "it was given a last chance with a fresh address"
        assert world.questions < 25, "it does not hammer"

    @pytest.mark.parametrize(
        ("kind", "why"),
        [("frozen", "frozen"), ("refused", "blocked"), ("unreachable", "stalled")],
    )
    def test_are_told_apart_by_what_hinders_the_fetcher(self, world, kind, why):
        world.pauses = [(10, 10_000)]
        world.hindrance = Hindrance(kind, "The reason.")
        world.record(idle_timeout=60)
        assert end_of(world).why == why
        [interrupted] = world.facts(CaptureInterrupted)
        assert interrupted.cause == kind

    def test_are_blocked_when_every_fresh_address_is_refused(self, world):
        world.pauses = [(10, 10_000)]
        world.ends = dict.fromkeys(range(10, 1000), REFUSED)
        world.record(idle_timeout=60)
        assert end_of(world).why == "blocked"

    def test_are_stalled_when_the_site_cannot_be_asked(self, world):
        world.ends = {10: BROKEN}
        world.site_answers = [LIVE, AWAY]
        world.record(idle_timeout=180)
        assert end_of(world).why == "stalled"
        assert AWAY.detail in end_of(world).detail
        assert 10 + 180 < world.time < 10 + 220
        assert world.questions < 25, "it does not hammer"

    def test_are_found_while_the_fetcher_still_tries(self, world):
        world.pauses = [(10, 10_000)]
        world.site_answers = [LIVE, OFFLINE]
        world.record(idle_timeout=180, offline_timeout=60)
        assert end_of(world).why == "offline"
        assert 10 + 60 < world.time < 10 + 100

    def test_name_what_the_site_said_last(self, world):
        world.ends = {10: BROKEN}
        world.site_answers = [LIVE, OFFLINE, OFFLINE, GONE]
        world.record()
        assert end_of(world).why == "gone"


class TestFlakySite:
    @pytest.mark.parametrize("answer", [OFFLINE, GONE, LOGIN, BLOCKED, OVER])
    def test_does_not_end_a_stream_that_goes_on_by_one_wrong_word(self, world, answer):
        world.ends = {10: BROKEN, 300: ENDED}
        world.site_answers = [LIVE, answer, LIVE]
        world.record()
        assert end_of(world).detail == "end mark"
        assert world.questions == 3

    def test_is_not_believed_soon_whatever_it_says(self, world):
        world.ends = {10: BROKEN, 300: ENDED}
        world.site_answers = [LIVE, OFFLINE, GONE, OFFLINE, OFFLINE, LIVE]
        world.record(offline_timeout=60)
        assert end_of(world).detail == "end mark"

    def test_is_outweighed_by_media_that_comes(self, world):
        world.pauses = [(10, 55)]
        world.site_answers = [LIVE, OFFLINE]
        world.ends = {300: ENDED}
        world.record(offline_timeout=60)
        assert end_of(world).detail == "end mark"
        assert end_of(world).media_seconds == pytest.approx(300 - 45, abs=1)

    def test_begins_its_count_anew_after_media_came(self, world):
        world.pauses = [(10, 45), (50, 85), (90, 125)]
        world.site_answers = [LIVE, OFFLINE]
        world.ends = {300: ENDED}
        world.record(offline_timeout=40)
        assert end_of(world).detail == "end mark"

    def test_is_no_reason_to_fetch_anew_while_media_comes(self, world):
        world.pauses = [(10, 40)]
        world.ends = {100: ENDED}
        world.record()
        assert world.questions > 1
        assert len(world.streams) == 1


class TestEndsOfALaterAttempt:
    def test_come_with_what_an_ended_playlist_still_has(self, world):
        world.after_an_attempt().site_answers = [OVER]
        world.rest = 4.0
        assert world.record() is Outcome.DELIVERED
        assert [stream.is_rest for stream in world.streams] == [True]
        assert end_of(world).why == "ended"
        assert end_of(world).media_seconds == pytest.approx(4, abs=0.5)

    def test_come_without_fetching_again_what_has_no_segment_numbers(self, world):
        film = Stream("http", "finished", "http://h/film.mp4")
        world.after_an_attempt().site_answers = [film]
        assert world.record() is Outcome.DELIVERED
        assert (end_of(world).why, world.streams) == ("ended", [])
        assert world.time < 5

    def test_come_when_the_site_says_for_a_while_that_there_is_nothing(self, world):
        world.after_an_attempt().site_answers = [GONE]
        assert world.record(offline_timeout=30) is Outcome.DELIVERED
        assert end_of(world).why == "gone"
        assert 30 < world.time < 60

    def test_come_without_a_login_that_was_needed_before(self, world):
        world.after_an_attempt().site_answers = [LOGIN]
        assert world.record(offline_timeout=30) is Outcome.DELIVERED
        assert end_of(world).why == "needs_login"


class TestStop:
    @pytest.mark.parametrize(("wish", "why"), [("keep", "stopped"), ("discard", "discarded")])
    def test_is_heard_while_media_does_not_come(self, world, wish, why):
        world.pauses = [(10, 10_000)]
        world.wishes = {50: Wish(wish)}
        world.record()
        assert end_of(world).why == why
        assert world.time < 52
