"""From the end of a capture to the last word, with a clock that is waited forward."""

from datetime import timedelta

import pytest
from chronicle_contracts.recorder import Heartbeat, RecordingEnded, RecordingFailed, Uploaded
from recorder.domain import gaps
from recorder.domain.delivery import File
from recorder.domain.ending import Outcome
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import Hindrance
from recorder.domain.problem import SourceProblem
from recorder.domain.progress import Progress
from recorder.domain.stream import Stream
from recorder.ports import Wish

from services.recorder.tests.cast import BROKEN, ENDED, KEY, LIVE, NOON, OVER, World

ENDLESS = Stream("http", "live", "http://h/live.ts")
AWAY = SourceProblem("unreachable", "The server cannot be reached.")


@pytest.fixture
def world():
    return World()


def uploaded_of(world):
    [uploaded] = world.facts(Uploaded)
    return uploaded


def causes(world):
    return [gap.cause for gap in uploaded_of(world).gaps]


class TestUploaded:
    def test_says_how_complete_the_recording_is(self, world):
        world.losses = {10: Loss("segment unavailable", 4.0, 2)}
        world.ends = {40: ENDED}
        world.record()
        said = uploaded_of(world).completeness
        assert said.score == pytest.approx(40 / 44, abs=0.01)
        assert (said.missing_seconds, said.verified) == (4.0, True)
        assert said.wall_seconds == pytest.approx(40, abs=1)
        assert said.segments_expected == said.segments_kept + 2
        assert said.start_delay == pytest.approx(0.25, abs=0.3)

    def test_is_whole_where_nothing_is_missing(self, world):
        world.ends = {40: ENDED}
        world.record()
        assert uploaded_of(world).completeness.score == 1
        assert uploaded_of(world).gaps == ()

    def test_names_a_manifest_that_is_there_already(self, world):
        world.ends = {10: ENDED}
        world.record()
        [statement] = world.statements
        assert uploaded_of(world).manifest_key == f"{KEY}.manifest.json"
        assert statement.completeness == uploaded_of(world).completeness
        assert (statement.why, statement.detail) == ("ended", "end mark")
        assert [(one.run, one.why) for one in statement.attempts] == [("gala.1", "ended")]

    def test_waits_for_the_manifest_but_not_for_ever(self, world):
        world.ends = {10: ENDED}
        world.manifest_trouble = 3
        world.record()
        assert uploaded_of(world).manifest_key is not None
        world = World()
        world.ends = {10: ENDED}
        world.manifest_trouble = 10_000
        assert world.record() is Outcome.DELIVERED
        assert uploaded_of(world).manifest_key is None
        assert world.time < 200

    def test_does_not_claim_what_cannot_be_played(self, world):
        world.ends = {10: ENDED}
        world.troubles = ("The end cannot be played.",)
        assert world.record() is Outcome.DELIVERED
        said = uploaded_of(world).completeness
        assert not said.verified
        assert said.score < 0.999

    def test_says_that_a_track_ended_early(self, world):
        world.ends = {60: ENDED}
        world.drift = 12.0
        world.record()
        assert causes(world) == ["one track ends early"]


class TestMissingMedia:
    def test_is_said_when_the_end_was_lost_to_an_outage(self, world):
        world.ends = {10: BROKEN}
        world.site_answers = [LIVE, AWAY]
        world.record(idle_timeout=60)
        [gap] = uploaded_of(world).gaps
        assert gap.seconds == pytest.approx(60, abs=16)
        assert gap.at_media_seconds == pytest.approx(10, abs=1)

    def test_is_said_when_it_is_stopped_in_the_middle_of_an_outage(self, world):
        world.pauses = [(10, 10_000)]
        world.hindrance = Hindrance("unreachable", "The playlist cannot be read.")
        world.wishes = {30: Wish("keep")}
        world.record()
        assert [(gap.cause, round(gap.seconds)) for gap in uploaded_of(world).gaps] == [
            ("unreachable", 20)
        ]

    def test_is_not_said_of_a_playlist_that_stood_still(self, world):
        world.pauses = [(10, 40), (60, 10_000)]
        world.hindrance = Hindrance("frozen", "Nothing was added to the playlist.")
        world.record(idle_timeout=60)
        assert uploaded_of(world).gaps == ()
        assert uploaded_of(world).completeness.score == 1

    def test_is_found_by_the_clock_where_nobody_says_it(self, world):
        world.rate = 0.8
        world.wishes = {100: Wish("keep")}
        world.record()
        assert causes(world) == ["unaccounted"]
        assert uploaded_of(world).gaps[0].seconds == pytest.approx(20, abs=1)

    def test_is_said_once_of_a_source_without_segment_numbers(self, world):
        world.site_answers = [ENDLESS]
        world.pauses = [(20, 40)]
        world.wishes = {80: Wish("keep")}
        world.record()
        assert causes(world) == ["interrupted"]
        assert uploaded_of(world).completeness.score == pytest.approx(60 / 80, abs=0.02)

    def test_is_seen_where_media_time_jumps_over_it(self, world):
        world.site_answers = [ENDLESS]
        world.pauses = [(20, 29)]
        world.jumps = {29: 9.0}
        world.wishes = {60: Wish("keep")}
        world.record()
        assert causes(world) == ["interrupted"]
        assert uploaded_of(world).gaps[0].seconds == pytest.approx(9, abs=1)

    def test_is_said_of_a_late_start_at_a_stream_that_was_live_before(self, world):
        world.pauses = [(0, 45)]
        world.ends = {100: ENDED}
        world.record()
        assert causes(world) == ["started late"]
        assert uploaded_of(world).gaps[0].seconds == pytest.approx(35, abs=1)

    def test_is_nothing_before_the_stream_was_live(self, world):
        world.site_answers = [Stream("hls", "upcoming", None)] * 5 + [LIVE]
        world.ends = {100: ENDED}
        world.record()
        assert uploaded_of(world).gaps == ()


class TestMissingMediaOfALaterAttempt:
    def fallen(self, world):
        before = NOON - timedelta(seconds=30)
        return world.after_an_attempt(
            lambda run: run.beat("RECORDING", Progress(media_seconds=100), at=before)
        )

    def test_is_said_where_the_stream_was_over_when_it_looked(self, world):
        self.fallen(world).site_answers = [SourceProblem("not_found", "Nothing there.")]
        world.record(offline_timeout=20)
        assert causes(world) == ["recorder restarted"]
        [gap] = uploaded_of(world).gaps
        assert (gap.seconds, gap.at_media_seconds) == (pytest.approx(30, abs=1), 100)

    def test_is_said_where_the_first_one_fell_before_anything_was_saved(self, world):
        before = NOON - timedelta(seconds=30)
        world.after_an_attempt(
            lambda run: run.start(KEY, LIVE, Progress(), at=before), bytes_saved=0
        )
        world.ends = {20: ENDED}
        world.record(media_before=0.0)
        [gap] = uploaded_of(world).gaps
        assert (gap.cause, gap.at_media_seconds) == ("recorder restarted", 0)
        assert gap.seconds == pytest.approx(30, abs=1)

    def test_is_none_where_an_ended_playlist_still_lists_what_was_kept_last(self, world):
        self.fallen(world).site_answers = [OVER]
        world.continues = True
        world.record()
        assert uploaded_of(world).gaps == ()

    def test_is_what_was_seen_and_is_neither_saved_nor_fetched_again(self, world):
        self.fallen(world).site_answers = [SourceProblem("not_found", "Nothing there.")]
        world.record(offline_timeout=20, media_before=94.0)
        said = {gap.cause: gap for gap in uploaded_of(world).gaps}
        assert said.keys() == {"not saved", "recorder restarted"}
        assert (said["not saved"].seconds, said["not saved"].at_media_seconds) == (6, 94)

    def test_is_none_where_all_since_what_is_saved_is_fetched_again(self, world):
        self.fallen(world).site_answers = [LIVE]
        world.continues, world.ends = True, {20: ENDED}
        world.unsaved_seconds = 6.0
        world.record(media_before=94.0)
        assert uploaded_of(world).gaps == ()
        assert world.asked.keys() == {2}

    def test_is_taken_back_where_it_is_fetched_after_all(self, world):
        before = NOON - timedelta(seconds=30)
        world.saved_until = before - timedelta(seconds=9)

        def fall(run):
            for seconds_before, place in ((40, 70.0), (4, 96.0)):
                at = before - timedelta(seconds=seconds_before)
                run.lose(gaps.of_loss(Loss("segment unavailable", 2.0, 1), place, at), at=at)
            run.beat("RECORDING", Progress(media_seconds=100), at=before)

        world.after_an_attempt(fall).site_answers = [LIVE]
        world.continues, world.ends = True, {20: ENDED}
        world.losses = {5: Loss("segment unavailable", 3.0, 1)}
        world.record()
        assert [gap.seconds for gap in uploaded_of(world).gaps] == [2, 3], "of both attempts"
        assert uploaded_of(world).gaps[0].at_media_seconds == 70
        assert uploaded_of(world).completeness.missing_seconds == 5
        assert world.statements[0].gaps == uploaded_of(world).gaps

    def test_is_said_once_where_two_attempts_find_it(self, world):
        def fall(run):
            run.beat("RECORDING", Progress(media_seconds=100), at=NOON)
            run.end("ended", None, 100.0, NOON)
            run.lose(gaps.unsaved(100.0, 97.0, NOON), at=NOON)

        world.after_an_attempt(fall).unsaved_seconds = 3.0
        world.record()
        assert [(gap.cause, gap.seconds) for gap in uploaded_of(world).gaps] == [("not saved", 3)]

    def test_lies_where_a_file_was_torn(self, world):
        self.fallen(world).site_answers = [LIVE]
        world.continues, world.ends = True, {20: ENDED}
        world.unsaved_seconds = 0.9
        world.files = (
            File("attempt-1", 99.1, 99.1, is_final=False),
            File("attempt-2", 119.1, 20.0, is_final=True),
        )
        world.given_seconds = {"attempt-1": 100.0, "attempt-2": 20.0}
        world.record()
        assert [
            (gap.cause, gap.seconds, gap.at_media_seconds) for gap in uploaded_of(world).gaps
        ] == [("not saved", 0.9, 99.1)]


class TestDiscardWhileDelivering:
    def test_is_heard_until_the_last_word(self, world):
        world.ends = {10: ENDED}
        world.delivery_takes = 5.0
        world.wishes = {12: Wish("discard")}
        assert world.record() is Outcome.DISCARDED
        assert [ended.why for ended in world.facts(RecordingEnded)] == ["ended", "discarded"]
        assert world.saved[-1].sealed
        assert world.facts(Uploaded) == []
        assert (world.is_delivered, world.statements) == (False, [])

    def test_ends_the_wait_for_a_store_that_is_away(self, world):
        world.ends = {10: ENDED}
        world.trouble = 10_000
        world.wishes = {60: Wish("discard")}
        assert world.record() is Outcome.DISCARDED
        assert world.time < 70

    def test_is_no_matter_for_a_wish_to_keep(self, world):
        world.ends = {10: ENDED}
        world.trouble = 3
        world.wishes = {11: Wish("keep")}
        assert world.record() is Outcome.DELIVERED
        assert [ended.why for ended in world.facts(RecordingEnded)] == ["ended"]


class TestMaxDuration:
    def test_is_extended_as_long_as_the_recording_has_not_ended(self, world):
        world.wishes = {0: Wish(max_duration=5), 4: Wish(max_duration=9), 8: Wish(max_duration=30)}
        world.record()
        [ended] = world.facts(RecordingEnded)
        assert ended.media_seconds == pytest.approx(30, abs=0.5)

    def test_is_lifted_and_shortened(self, world):
        world.wishes = {0: Wish(max_duration=5), 4: Wish(), 20: Wish(max_duration=10)}
        world.record()
        [ended] = world.facts(RecordingEnded)
        assert (ended.why, ended.media_seconds) == ("max_duration", pytest.approx(20, abs=0.5))

    def test_counts_media_and_not_outages(self, world):
        world.pauses = [(5, 25)]
        world.wishes = {0: Wish(max_duration=10)}
        world.record()
        assert world.time == pytest.approx(30, abs=1)


class TestStopBeforeMedia:
    @pytest.mark.parametrize("wish", ["keep", "terminated"])
    def test_has_nothing_to_keep(self, world, wish):
        world.site_answers = [AWAY]
        world.wishes = {3: Wish(wish)}
        assert world.record() is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "nothing_recorded"

    def test_is_discarded(self, world):
        world.site_answers = [AWAY]
        world.wishes = {3: Wish("discard")}
        assert world.record() is Outcome.DISCARDED
        assert world.time < 5


class TestSuperseded:
    def test_ends_at_once_and_says_nothing_more(self, world):
        world.is_superseded = True
        assert world.record() is Outcome.SUPERSEDED
        assert world.time < 2
        assert {type(event.data) for event in world.saved} <= {Heartbeat}
        assert world.is_closed

    def test_is_found_out_when_it_delivers(self, world):
        world.ends = {10: ENDED}
        world.is_taken_over = True
        assert world.record() is Outcome.SUPERSEDED
        assert not any(event.sealed for event in world.saved)
        assert world.statements == []


class TestDeliverOnly:
    def saved_before(self, world):
        return world.after_an_attempt(
            lambda run: run.beat("RECORDING", Progress(media_seconds=100), at=NOON)
        )

    def test_delivers_what_was_saved_without_asking_the_site(self, world):
        self.saved_before(world)
        assert world.record(deliver_only=True) is Outcome.DELIVERED
        assert (world.questions, world.streams) == (0, [])
        assert [ended.why for ended in world.facts(RecordingEnded)] == ["failed"]
        assert uploaded_of(world).duration == 100

    @pytest.mark.parametrize("away", [30.0, 0.4])
    def test_says_that_the_stream_may_have_gone_on(self, world, away):
        self.saved_before(world).time = away
        world.record(deliver_only=True)
        assert [(gap.cause, gap.seconds) for gap in uploaded_of(world).gaps] == [("given up", away)]
        assert uploaded_of(world).completeness.score < 1

    def test_keeps_to_an_end_that_was_found_before(self, world):
        world.after_an_attempt(lambda run: run.end("stopped", None, 50.0, NOON))
        world.record(deliver_only=True)
        assert [ended.why for ended in world.facts(RecordingEnded)] == ["stopped"]
        assert uploaded_of(world).gaps == ()

    def test_fails_where_nothing_was_saved(self, world):
        world.after_an_attempt(bytes_saved=0)
        assert world.record(deliver_only=True) is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "nothing_recorded"
