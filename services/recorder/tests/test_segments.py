"""The evidence of what was kept: a file that outlives whoever writes it."""

from dataclasses import replace
from datetime import timedelta

from recorder.adapters.keeping.segments import FILE, SegmentLog
from recorder.domain.segment import DateRange, Segment

from services.recorder.tests.cast import NOON

FIRST = Segment(7, NOON, 2.0, 1000, "ab" * 32, programme_time=NOON - timedelta(seconds=30))
SECOND = Segment(8, NOON + timedelta(seconds=2), 2.0, 900, "cd" * 32, discontinuity=True)
SOUND = replace(SECOND, track=1)
ADVERT = DateRange("ad-1", NOON, planned_seconds=30.0, attributes={"SCTE35-OUT": "0xFC"})


class TestSegmentLog:
    def test_gives_back_what_was_kept_over_attempts(self, tmp_path):
        SegmentLog(tmp_path).keep(FIRST)
        again = SegmentLog(tmp_path)
        again.keep(SECOND)
        again.keep(SOUND)
        assert list(again.segments()) == [FIRST, SECOND, SOUND]

    def test_passes_over_the_line_in_which_its_writer_was_killed(self, tmp_path):
        SegmentLog(tmp_path).keep(FIRST)
        path = tmp_path / FILE
        path.write_bytes(path.read_bytes() + b'{"sequence":8,"at":"2026-11')
        log = SegmentLog(tmp_path)
        assert list(log.segments()) == [FIRST]
        log.keep(SECOND)
        assert list(log.segments()) == [FIRST, SECOND]

    def test_notes_a_date_range_once_and_again_when_there_is_more(self, tmp_path):
        log = SegmentLog(tmp_path)
        for told in (ADVERT, ADVERT, replace(ADVERT, seconds=28.0), ADVERT):
            log.tell(told)
        assert [one.seconds for one in log.date_ranges()] == [None]
        assert len((tmp_path / FILE).read_text().splitlines()) == 3

    def test_knows_when_its_own_first_media_was_made(self, tmp_path):
        log = SegmentLog(tmp_path)
        assert log.programme_time is None
        log.keep(FIRST)
        log.keep(SECOND)
        assert log.programme_time == FIRST.programme_time

    def test_is_empty_where_nothing_was_noted(self, tmp_path):
        assert list(SegmentLog(tmp_path).segments()) == []
