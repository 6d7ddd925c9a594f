"""What is said about how much of a stream was recorded."""

from datetime import timedelta

import pytest
from chronicle_contracts.recorder import Checksum, Gap, MediaInfo
from hypothesis import given
from hypothesis import strategies as st
from recorder.domain import completeness, gaps
from recorder.domain.completeness import MOST_UNVERIFIED, score
from recorder.domain.delivery import Delivery, Hole
from recorder.domain.timeline import START_GRACE, Timeline

from services.recorder.tests.cast import KEY, NOON

SECONDS = st.floats(0, 1e7)


def delivery(duration=100.0, **more):
    checksum = Checksum(algorithm="sha256", value="00")
    return Delivery(KEY, 1, "e", checksum, duration, MediaInfo(), **more)


def gap(seconds, at=0.0):
    return Gap(cause="interrupted", seconds=seconds, at_media_seconds=at, at=NOON)


def judged(made, *found, kept=0, missed=0):
    return completeness.judged(
        made,
        found,
        wall_seconds=100.0,
        start_delay=1.0,
        segments_kept=kept,
        segments_missed=missed,
    )


class TestScore:
    @given(kept=SECONDS, missing=SECONDS, is_verified=st.booleans())
    def test_is_a_share(self, kept, missing, is_verified):
        assert 0 <= score(kept, missing, is_verified=is_verified) <= 1

    @given(kept=st.floats(0.001, 1e7))
    def test_is_one_for_a_whole_recording_and_only_for_a_verified_one(self, kept):
        assert score(kept, 0, is_verified=True) == 1
        assert score(kept, 0, is_verified=False) <= MOST_UNVERIFIED

    @given(kept=st.floats(0.001, 1e7), less=SECONDS, more=SECONDS)
    def test_never_grows_with_what_is_missing(self, kept, less, more):
        less, more = sorted((less, more))
        assert score(kept, more, is_verified=True) <= score(kept, less, is_verified=True)

    @given(less=SECONDS, more=SECONDS, missing=SECONDS)
    def test_never_falls_with_what_is_kept(self, less, more, missing):
        less, more = sorted((less, more))
        assert score(less, missing, is_verified=True) <= score(more, missing, is_verified=True)

    @given(kept=st.floats(1, 1e6), missing=st.floats(0.001, 1e6))
    def test_is_kept_by_kept_and_missing(self, kept, missing):
        share = kept / (kept + missing)
        assert score(kept, missing, is_verified=True) == pytest.approx(share)

    def test_of_nothing_is_nothing(self):
        assert score(0, 0, is_verified=True) == 0


class TestJudged:
    def test_counts_the_gaps(self):
        said = judged(delivery(90.0), gap(4.0), gap(6.0))
        assert (said.score, said.missing_seconds) == (pytest.approx(0.9), 10.0)

    def test_does_not_take_a_hole_that_keeps_its_time_for_media(self):
        made = delivery(100.0, losses=(Hole("lost by the store", 10.0, 20.0),))
        assert judged(made, gap(10.0)).score == pytest.approx(0.9)

    def test_accounts_for_the_segments_of_a_source_that_numbers_them(self):
        said = judged(delivery(), kept=48, missed=2)
        assert (said.segments_expected, said.segments_kept) == (50, 48)
        assert judged(delivery()).segments_expected is None

    def test_does_not_claim_what_cannot_be_played(self):
        said = judged(delivery(troubles=("The end cannot be played.",)))
        assert (said.verified, said.score) == (False, MOST_UNVERIFIED)


class TestDrift:
    def test_is_a_gap_where_one_track_ends_early(self):
        found = gaps.of_drift(delivery(drift=8.0), (), NOON)
        assert found is not None
        assert (found.seconds, found.at_media_seconds) == (8.0, 92.0)

    def test_is_not_said_twice(self):
        assert gaps.of_drift(delivery(drift=8.0), (gap(8.0, at=91.0),), NOON) is None

    @pytest.mark.parametrize("drift", [None, 0.0, 1.9])
    def test_of_a_cut_is_no_gap(self, drift):
        assert gaps.of_drift(delivery(drift=drift), (), NOON) is None


class TestTimeline:
    def running(self, *spans, begins_at=3.0, burst=0.0):
        """Let media flow: (seconds of clock, seconds of media), one span after the other."""
        timeline, now, media = Timeline(), begins_at, burst + 0.25
        timeline.see(now, media)
        for clock, gained in spans:
            for _ in range(int(clock * 4)):
                now, media = now + 0.25, media + gained / clock / 4
                timeline.see(now, media)
        return timeline

    def test_agrees_with_media_that_flows(self):
        timeline = self.running((600, 600))
        assert timeline.wall_seconds == pytest.approx(600, abs=1)
        assert timeline.unaccounted(0, patience=0) == 0

    def test_finds_what_nobody_has_said(self):
        timeline = self.running((100, 100), (40, 0), (100, 100))
        assert timeline.unaccounted(0, patience=0) == pytest.approx(40, abs=1)
        assert timeline.unaccounted(10, patience=0) == pytest.approx(30, abs=1)
        assert timeline.unaccounted(40, patience=0) == 0

    def test_finds_what_drips_away(self):
        assert self.running((1000, 900)).unaccounted(0, patience=0) == pytest.approx(100, abs=2)

    def test_excuses_what_the_source_did_not_make(self):
        timeline = self.running((100, 100), (40, 0), (100, 100))
        timeline.excuse(40)
        assert timeline.unaccounted(0, patience=0) == 0

    def test_tolerates_bursts(self):
        assert self.running((100, 91)).unaccounted(0, patience=5) == 0

    def test_does_not_mind_what_comes_faster_than_time(self):
        assert self.running((10, 100)).unaccounted(0, patience=0) == 0

    def test_says_how_late_a_recording_of_a_live_stream_began(self):
        late = self.running((60, 60), begins_at=40.0).late_start(0.0)
        assert late == pytest.approx(40 - START_GRACE, abs=1)
        assert self.running((60, 60), begins_at=3.0).late_start(0.0) == 0

    def test_began_no_later_than_what_the_source_gave_at_once(self):
        assert self.running((60, 60), begins_at=40.0, burst=30.0).late_start(0.0) == 0

    def test_knows_nothing_without_media(self):
        timeline = Timeline()
        timeline.see(1.0, 0.0)
        assert (timeline.wall_seconds, timeline.late_start(0), timeline.unaccounted(0, 0)) == (
            0.0,
            0.0,
            0.0,
        )


def test_clock_jumps_cannot_matter():
    # Nothing of the above takes a date; what takes one only writes it down.
    first = gaps.at_end("unaccounted", 5.0, 10.0, NOON)
    later = gaps.at_end("unaccounted", 5.0, 10.0, NOON - timedelta(days=400))
    assert first is not None
    assert later is not None
    assert first.seconds == later.seconds
