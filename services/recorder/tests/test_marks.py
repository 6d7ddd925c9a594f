"""How far what is saved of a fallen attempt reaches, in segments."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from chronicle_storage import StorageSettings, open_store
from recorder.adapters.fetching.position import Position
from recorder.adapters.keeping.marks import Marks
from recorder.adapters.keeping.notes import StoreNotes
from recorder.adapters.keeping.segments import SegmentLog
from recorder.domain.segment import Missed, Segment

from services.recorder.tests.cast import KEY


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    if request.param == "local":
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))
    request.getfixturevalue("aws_env")
    return open_store(StorageSettings(bucket=f"marks-{uuid4().hex[:8]}"))


class Attempt:
    """An attempt that writes segments of two seconds and a thousand bytes."""

    def __init__(self, folder, *, saved=0, leave=lambda **_: None, is_folder=False):
        self.log = SegmentLog(folder)
        self.reach = self.log.recover(saved)
        self.marks = Marks(self.log.mark, leave, is_folder=is_folder)
        self.marks.count_from(saved, saved / 500)
        self.size = 0

    def write(self, *numbers, track=0):
        for number in numbers:
            position = Position.of(number, f"{number}.ts", 2.0)
            self.marks.begin(track, self.size, self.size / 500)
            self.size += 1000
            self.log.keep(Segment(number, position.kept_at, 2.0, 1000, "ab" * 32, track=track))
            self.marks.keep(track, position)
        return self

    @property
    def reached(self):
        """The last saved segment of each track, and the seconds of media."""
        reach = self.reach
        return reach and (
            {t: one.number for t, one in reach.positions.items()},
            reach.media_seconds,
        )

    @property
    def kept(self):
        return [segment.sequence for segment in self.log.segments()]


class Given:
    """Marks of an attempt that writes segments into named files."""

    def __init__(self, log):
        self._marks = Marks(log.mark, lambda **_: None, is_folder=False)

    def write(self, file, number, *, seconds, track=0, length=2.0):
        """Write a segment while a remuxer says that a file has so many seconds."""
        name = f"gala.mkv.{file}.part" if file else ""
        self._marks.begin(track, 1000 * number, seconds)
        self._marks.give(track, name, seconds)
        self._marks.keep(track, Position.of(number, f"{number}.ts", length))


def given_marks(folder):
    log = SegmentLog(folder)
    return Given(log), log


class TestReach:
    def test_is_what_was_begun_before_the_saved_bytes_end(self, tmp_path):
        Attempt(tmp_path).write(7, 8, 9)
        assert Attempt(tmp_path, saved=3000).reached == ({0: 9}, 6.0)
        assert Attempt(tmp_path, saved=2000).reached == ({0: 8}, 4.0)

    def test_holds_a_segment_of_which_a_part_is_saved(self, tmp_path):
        Attempt(tmp_path).write(7, 8, 9)
        assert Attempt(tmp_path, saved=2001).reached == ({0: 9}, 6.0), "it must not come twice"

    def test_is_unknown_where_nothing_was_marked_or_saved(self, tmp_path):
        assert Attempt(tmp_path, saved=3000).reach is None
        Attempt(tmp_path).write(7)
        assert Attempt(tmp_path, saved=0).reach is None

    def test_goes_over_attempts(self, tmp_path):
        Attempt(tmp_path).write(7, 8)
        Attempt(tmp_path, saved=2000).write(9, 10)
        assert Attempt(tmp_path, saved=3000).reached == ({0: 9}, 6.0)
        assert Attempt(tmp_path, saved=2000).reached == ({0: 8}, 4.0), "nothing of the second"

    def test_is_of_all_tracks_or_of_no_use(self, tmp_path):
        Attempt(tmp_path).write(7).write(70, track=1).write(8).write(80, track=1)
        assert Attempt(tmp_path, saved=1000).reach is None, "of one track alone nobody can go on"
        reached = Attempt(tmp_path, saved=2500).reached
        assert reached is not None
        assert reached[0] == {0: 8, 1: 70}


class TestSegmentLog:
    def test_forgets_what_was_kept_and_is_not_saved(self, tmp_path):
        Attempt(tmp_path).write(7, 8, 9, 10)
        second = Attempt(tmp_path, saved=2000)
        assert second.kept == [7, 8]
        second.write(9, 10, 11)
        assert second.kept == [7, 8, 9, 10, 11]
        assert Attempt(tmp_path, saved=5000).reached == ({0: 11}, 10.0)
        assert Attempt(tmp_path, saved=3000).kept == [7, 8, 9]

    def test_forgets_all_where_nothing_is_saved(self, tmp_path):
        Attempt(tmp_path).write(7, 8)
        second = Attempt(tmp_path, saved=0).write(9)
        assert second.kept == [9]

    def test_forgets_what_was_missed_where_it_is_asked_for_again(self, tmp_path):
        first = Attempt(tmp_path).write(7)
        first.log.miss(Missed("segment unavailable", 2.0, 1, datetime.now(UTC)))
        first.write(9)
        assert first.log.count() == (2, 1)
        second = Attempt(tmp_path, saved=2000)
        second.log.go_on(2)
        assert second.log.count() == (2, 1), "it was missed before what is saved last"
        third = Attempt(tmp_path, saved=1000)
        assert third.log.count() == (1, 1), "nobody has asked for it yet"
        third.log.go_on(3)
        assert third.log.count() == (1, 0)
        assert third.log.asked_since().keys() == {2, 3}


class TestMarks:
    def test_outlive_the_machine(self, store, tmp_path):
        attempts = []
        for number, saved in enumerate((0, 2000, 3000), start=1):
            folder = tmp_path / f"machine-{number}"
            folder.mkdir()
            notes = StoreNotes(
                store, KEY, attempt=number, segments=folder / "segments.jsonl", every=3600
            )
            notes.recall()
            notes.start()
            attempts.append(Attempt(folder, saved=saved, leave=notes.leave_segments))
            attempts[-1].write(*range(2 * number, 2 * number + 3)).marks.leave()
        assert attempts[0].kept == [2, 3, 4]
        assert attempts[1].reached == ({0: 3}, 4.0)
        assert attempts[2].reached == ({0: 4}, 6.0)
        assert attempts[2].kept == [2, 3, 4, 6, 7, 8]

    def test_are_left_with_each_segment_where_each_byte_is_stored_at_once(self, tmp_path):
        left = []
        log = SegmentLog(tmp_path)

        def leave(**_):
            left.append([segment.sequence for segment in log.segments()])

        Attempt(tmp_path, leave=leave, is_folder=True).write(7, 8)
        assert left == [[7], [7, 8]]

    def test_tell_what_each_file_was_given(self, tmp_path):
        marks, log = given_marks(tmp_path)
        marks.write("attempt-1", 1, seconds=0.0)
        marks.write("attempt-1", 2, seconds=1.9)
        marks.write("attempt-1-2", 3, seconds=0.0)
        assert log.given() == {"attempt-1": pytest.approx(3.9), "attempt-1-2": 2.0}

    def test_count_what_a_remuxer_has_not_counted_yet(self, tmp_path):
        marks, log = given_marks(tmp_path)
        for number in range(4):
            marks.write("attempt-1", number, seconds=0.0)
        assert log.given() == {"attempt-1": 8.0}
        marks.write("attempt-1", 4, seconds=7.7)
        assert log.given() == {"attempt-1": pytest.approx(9.7)}, "of one that has, its word counts"

    def test_tell_of_two_tracks_what_both_were_given(self, tmp_path):
        marks, log = given_marks(tmp_path)
        marks.write("", 1, seconds=0.0)  # waits for the other
        marks.write("attempt-1", 1, seconds=0.0, track=1)
        marks.write("attempt-1", 2, seconds=1.9)
        marks.write("attempt-1", 2, seconds=3.9, track=1)  # by then it has counted the other
        assert log.given() == {"attempt-1": pytest.approx(3.9)}

    def test_say_nothing_where_nobody_knows_how_long_segments_are(self, tmp_path):
        marks, log = given_marks(tmp_path)
        marks.write("attempt-1", 1, seconds=0.0, length=0.0)
        assert log.given() == {}

    def test_wait_before_a_tail_until_what_was_begun_is_kept(self, tmp_path):
        left = []
        attempt = Attempt(tmp_path, leave=lambda **_: left.append(1))
        attempt.marks.begin(0, 0, 0.0)
        attempt.marks.settle()  # for a moment, and not for ever
        attempt.marks.leave()
        assert left == [1]
