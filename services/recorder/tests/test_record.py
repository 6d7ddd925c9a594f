"""The flow of a recording, with a clock that is waited forward."""

from datetime import timedelta
from itertools import pairwise

import pytest
from chronicle_contracts.recorder import (
    CaptureInterrupted,
    CaptureResumed,
    Checksum,
    Completeness,
    GapFound,
    Heartbeat,
    MediaInfo,
    RecordingEnded,
    RecordingFailed,
    RecordingStarted,
    Uploaded,
)
from recorder.domain.delivery import Delivery
from recorder.domain.ending import Outcome
from recorder.domain.gaps import Loss
from recorder.domain.problem import SourceProblem
from recorder.domain.progress import Progress
from recorder.domain.stream import Stream
from recorder.ports import Wish

from services.recorder.tests.cast import BROKEN, ENDED, KEY, LIVE, NOON, OVER, REFUSED, UNUSABLE
from services.recorder.tests.cast import World as _World

GONE = SourceProblem("not_found", "There is nothing there.")
AWAY = SourceProblem("unreachable", "The server cannot be reached.")


@pytest.fixture
def world():
    return _World()


def why(world):
    return [ended.why for ended in world.facts(RecordingEnded)]


class TestRecording:
    def test_tells_a_whole_life(self, world):
        world.ends = {12: ENDED}
        assert world.record() is Outcome.DELIVERED
        kinds = [type(event.data) for event in world.saved]
        assert kinds[0] is Heartbeat
        assert kinds.index(RecordingStarted) < kinds.index(RecordingEnded) < kinds.index(Uploaded)
        assert [event.sequence for event in world.saved] == list(range(1, len(world.saved) + 1))
        assert world.saved[-1].sealed
        assert world.journal_left == b"lines"
        assert world.is_closed
        phases = [beat.phase for beat in world.facts(Heartbeat)]
        assert (phases[0], phases[-1]) == ("STARTED", "UPLOADING")

    def test_beats_every_five_seconds(self, world):
        world.wishes = {60: Wish("keep")}
        world.record()
        beats = [event.time for event in world.saved if isinstance(event.data, Heartbeat)]
        pauses = [(b - a).total_seconds() for a, b in pairwise(beats)]
        assert max(pauses) <= 5.5

    @pytest.mark.parametrize(
        ("wish", "reason"), [("keep", "stopped"), ("terminated", "terminated")]
    )
    def test_keeps_what_was_recorded_when_it_is_stopped(self, world, wish, reason):
        world.wishes = {10: Wish(wish)}
        assert world.record() is Outcome.DELIVERED
        assert why(world) == [reason]

    def test_discards_when_that_is_asked(self, world):
        world.wishes = {10: Wish("discard")}
        assert world.record() is Outcome.DISCARDED
        assert world.saved[-1].sealed
        assert world.facts(Uploaded) == []

    def test_ends_at_the_longest_duration_which_may_be_extended(self, world):
        world.wishes = {0: Wish(max_duration=5), 4: Wish(max_duration=20)}
        world.record()
        [ended] = world.facts(RecordingEnded)
        assert ended.why == "max_duration"
        assert ended.media_seconds == pytest.approx(20, abs=0.5)


class TestRecordingOfAnUnsteadySource:
    def test_says_that_it_was_interrupted_and_resumed(self, world):
        world.pauses = [(10, 20)]
        world.wishes = {30: Wish("keep")}
        world.record()
        assert len(world.facts(CaptureInterrupted)) == 1
        [resumed] = world.facts(CaptureResumed)
        assert resumed.after == pytest.approx(10, abs=1)

    def test_measures_the_gap_of_a_source_without_segment_numbers(self, world):
        world.site_answers = [Stream("http", "live", "http://h/live.ts")]
        world.pauses = [(10, 20)]
        world.wishes = {30: Wish("keep")}
        world.record()
        [uploaded] = world.facts(Uploaded)
        assert [gap.seconds for gap in uploaded.gaps] == [pytest.approx(10, abs=1)]

    def test_says_which_segments_are_missing(self, world):
        world.losses = {10: Loss("segment unavailable", 4.0)}
        world.ends = {20: ENDED}
        world.record()
        assert [found.gap.seconds for found in world.facts(GapFound)] == [4.0]
        assert [gap.seconds for gap in world.facts(Uploaded)[0].gaps] == [4.0]

    @pytest.mark.parametrize("end", [REFUSED, BROKEN])
    def test_asks_the_site_for_a_fresh_address(self, world, end):
        world.ends = {10: end, 30: ENDED}
        world.record()
        assert world.questions == 2
        assert world.facts(RecordingEnded)[0].media_seconds == pytest.approx(29, abs=2)
        assert world.fetched_at[1] <= 10.25

    def test_goes_on_with_a_film_whose_address_ran_out(self, world):
        world.site_answers = [OVER]
        world.ends = {10: REFUSED, 20: ENDED}
        world.record()
        assert world.questions == 2
        assert world.facts(RecordingEnded)[0].detail == "end mark"


class TestRecordingWithoutAStream:
    def test_fails_with_a_sentence_when_nothing_comes(self, world):
        world.site_answers = [AWAY]
        assert world.record(start_timeout=60) is Outcome.FAILED
        [failed] = world.facts(RecordingFailed)
        assert failed.code == "stream_never_started"
        assert AWAY.detail in failed.detail
        assert failed.log_tail == "the log"
        assert 60 <= world.time < 80

    def test_waits_for_a_stream_that_begins_late(self, world):
        world.site_answers = [AWAY, GONE, Stream("hls", "upcoming", None), LIVE]
        world.ends = {40: ENDED}
        assert world.record() is Outcome.DELIVERED

    def test_fails_at_once_where_waiting_is_no_use(self, world):
        world.site_answers = [SourceProblem("needs_login", "Only for members.")]
        assert world.record() is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "needs_login"
        assert world.time < 2

    def test_waits_where_the_site_gave_one_before(self, world):
        world.pauses = [(0, 45)]
        world.site_answers = [LIVE, SourceProblem("unsupported", "It is no manifest."), LIVE]
        world.ends = {2: BROKEN, 80: ENDED}
        assert world.record() is Outcome.DELIVERED

    def test_fails_at_once_on_what_is_no_media(self, world):
        world.ends = {2: UNUSABLE}
        world.rate = 0
        assert world.record() is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "unusable_media"

    def test_fails_when_it_is_stopped_before_anything_came(self, world):
        world.site_answers = [AWAY]
        world.wishes = {3: Wish("keep")}
        assert world.record() is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "nothing_recorded"


class TestDelivery:
    def test_tries_again_while_the_store_is_away_and_goes_on_beating(self, world):
        world.ends = {10: ENDED}
        world.trouble = 4
        assert world.record() is Outcome.DELIVERED
        assert len([b for b in world.facts(Heartbeat) if b.phase == "UPLOADING"]) >= 2

    def test_says_what_was_seen_but_is_not_in_the_file(self, world):
        world.ends = {10: ENDED}
        world.unsaved_seconds = 3.0
        world.record()
        [gap] = world.facts(Uploaded)[0].gaps
        assert (gap.cause, gap.seconds) == ("not saved", 3.0)
        assert len(world.facts(GapFound)) == 1

    def test_leaves_it_to_the_next_attempt_when_that_takes_too_long(self, world):
        world.ends = {10: ENDED}
        world.trouble = 10_000
        assert world.record(deliver_timeout=100) is Outcome.UNDELIVERED
        assert not any(event.sealed for event in world.saved)


class TestNextAttempt:
    def test_counts_on_where_the_last_one_stood(self, world):
        world.after_an_attempt(
            lambda run: run.beat("RECORDING", Progress(media_seconds=100), at=NOON)
        )
        world.wishes = {0: Wish(max_duration=110)}
        world.record()
        [ended] = world.facts(RecordingEnded)
        assert ended.media_seconds == pytest.approx(110, abs=0.6)
        assert world.time == pytest.approx(10, abs=1)

    def test_says_what_is_missing_between_the_two(self, world):
        before = NOON - timedelta(seconds=30)
        world.after_an_attempt(lambda run: run.beat("RECORDING", Progress(), at=before))
        world.ends = {10: ENDED}
        world.record()
        [gap] = world.facts(Uploaded)[0].gaps
        assert gap.cause == "recorder restarted"
        assert gap.seconds == pytest.approx(30, abs=1)

    def test_says_nothing_is_missing_where_the_source_still_had_it(self, world):
        before = NOON - timedelta(seconds=30)
        world.after_an_attempt(lambda run: run.beat("RECORDING", Progress(), at=before))
        world.continues = True
        world.ends = {10: ENDED}
        world.record()
        assert world.facts(Uploaded)[0].gaps == ()

    def test_delivers_what_was_saved_when_the_source_does_not_come_back(self, world):
        world.after_an_attempt().site_answers = [AWAY]
        assert world.record() is Outcome.DELIVERED
        assert why(world) == ["stalled"]

    def test_does_not_record_again_what_was_ended_but_not_delivered(self, world):
        world.after_an_attempt(lambda run: run.end("stopped", None, 50.0, NOON))
        assert world.record() is Outcome.DELIVERED
        assert world.questions == 0
        assert why(world) == ["stopped"]

    def test_has_nothing_to_do_after_a_delivery(self, world):
        delivery = Delivery(KEY, 1, "e", Checksum(algorithm="sha256", value="0"), 1.0, MediaInfo())
        whole = Completeness(score=1.0, missing_seconds=0.0, verified=True)
        world.after_an_attempt(lambda run: run.deliver(delivery, (), whole, at=NOON))
        assert world.record() is Outcome.DELIVERED
        assert world.saved == []

    def test_has_nothing_to_do_after_a_discard(self, world):
        world.after_an_attempt(lambda run: run.end("discarded", None, 1.0, NOON))
        assert world.record() is Outcome.DISCARDED
        assert world.saved == []

    def test_records_anew_after_a_failure(self, world):
        world.after_an_attempt(
            lambda run: run.fail("stream_never_started", "Nothing.", "", at=NOON), bytes_saved=0
        )
        world.ends = {10: ENDED}
        assert world.record() is Outcome.DELIVERED
