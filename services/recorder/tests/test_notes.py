"""What is known of an attempt whose machine was lost with all that was on it."""

import os
from uuid import uuid4

import pytest
from chronicle_contracts.naming import recorder_stream
from chronicle_contracts.recorder import GapFound, Heartbeat, RecordingStarted
from chronicle_eventstore import Recorded
from chronicle_storage import StorageSettings, open_store
from recorder.adapters.keeping.notes import PIECE, StoreNotes
from recorder.adapters.keeping.segments import SegmentLog
from recorder.domain.gaps import Loss, of_loss
from recorder.domain.progress import Progress
from recorder.domain.run import Run
from recorder.domain.segment import Segment

from services.recorder.tests.cast import KEY, LIVE, NOON, AwayFor


@pytest.fixture(params=["local", "s3"])
def store(request, tmp_path):
    if request.param == "local":
        return open_store(StorageSettings(recordings=tmp_path / "recordings"))
    request.getfixturevalue("aws_env")
    return open_store(StorageSettings(bucket=f"notes-{uuid4().hex[:8]}"))


def said():
    run = Run.at_stream(recorder_stream("gala.1"), "gala", NOON)
    run.start(KEY, LIVE, Progress(), at=NOON)
    run.beat("RECORDING", Progress(media_seconds=10), at=NOON)
    run.lose(of_loss(Loss("segment unavailable", 4.0), 12, NOON), at=NOON)
    run.beat("RECORDING", Progress(media_seconds=20), at=NOON)
    return [one.event for one in run.collect_events() if isinstance(one, Recorded)]


def segment(number):
    return Segment(number, NOON, 2.0, 1000, "ab" * 32)


class Machine:
    """The notes of one attempt on a machine of its own."""

    def __init__(self, store, folder, attempt):
        folder.mkdir()
        self.log = SegmentLog(folder)
        self.notes = StoreNotes(store, KEY, attempt=attempt, segments=self.log.path, every=3600)
        self.recalled = self.notes.recall()
        # Of what is there by now; when they are left is the tests' business.
        self.notes.start()
        self.notes.stop()

    def leave(self):
        self.notes.leave()
        self.notes.leave_segments()


class TestStoreNotes:
    def test_outlive_the_machine(self, store, tmp_path):
        first = Machine(store, tmp_path / "one", 1)
        first.notes.hear(said())
        first.log.keep(segment(7))
        first.leave()
        second = Machine(store, tmp_path / "two", 2)
        kinds = [type(event.data) for event in second.recalled[1]]
        assert kinds == [RecordingStarted, GapFound, Heartbeat], "the last heartbeat is enough"
        beat = second.recalled[1][-1].data
        assert isinstance(beat, Heartbeat)
        assert beat.media_seconds == 20
        assert list(second.log.segments()) == [segment(7)]

    def test_are_asked_for_again_where_the_store_is_away_for_a_moment(self, store, tmp_path):
        first = Machine(store, tmp_path / "one", 1)
        first.notes.hear(said())
        first.log.keep(segment(7))
        first.leave()
        second = Machine(AwayFor(store, 2), tmp_path / "two", 2)
        assert len(second.recalled[1]) == 3
        assert list(second.log.segments()) == [segment(7)]

    def test_are_fetched_whole_or_not_at_all(self, store, tmp_path, monkeypatch):
        first = Machine(store, tmp_path / "one", 1)
        for number in range(1200):
            first.log.keep(segment(number))
        first.leave()
        monkeypatch.setattr("recorder.adapters.keeping.asking.PATIENCE", 0.0)
        # After the notes, the list of pieces and the first of them.
        second = Machine(AwayFor(store, 1, after=3), tmp_path / "two", 2)
        assert not second.log.path.exists()

    def test_of_a_long_recording_are_left_in_pieces(self, store, tmp_path):
        first = Machine(store, tmp_path / "one", 1)
        for number in range(1200):
            first.log.keep(segment(number))
            if number % 250 == 0:
                first.leave()
        first.leave()
        first.leave()
        pieces = [one.size for one in store.list(f"{KEY}.attempt-1.segments-")]
        assert pieces[:-1] == [PIECE] * (len(pieces) - 1)
        assert len(pieces) > 1
        second = Machine(store, tmp_path / "two", 2)
        second.log.keep(segment(1200))
        second.leave()
        third = Machine(store, tmp_path / "three", 3)
        assert [one.sequence for one in third.log.segments()] == list(range(1201))

    def test_are_in_one_piece_although_more_comes_while_it_is_stored(self, store, tmp_path):
        first = Machine(store, tmp_path / "one", 1)
        first.log.keep(segment(1))
        put = store.put

        def slowly(*arguments, **more):
            stored = put(*arguments, **more)
            if len(list(first.log.segments())) < 4:
                first.log.keep(segment(len(list(first.log.segments())) + 1))
            return stored

        store.put = slowly
        first.leave()
        first.leave()
        second = Machine(store, tmp_path / "two", 2)
        numbers = [one.sequence for one in second.log.segments()]
        assert numbers == [1, 2], "a third came after they were stored"

    def test_are_deleted_with_the_rest(self, store, tmp_path):
        first = Machine(store, tmp_path / "one", 1)
        first.notes.hear(said())
        first.log.keep(segment(7))
        first.leave()
        store.put(f"{KEY}.attempt-1.mkv", b"what was set aside is not ours to delete")
        second = Machine(store, tmp_path / "two", 2)
        second.notes.hear(said())
        second.leave()
        second.notes.clear()
        assert [one.key for one in store.list(f"{KEY}.")] == [f"{KEY}.attempt-1.mkv"]

    def test_are_left_for_good_once_they_are_asked_to_be(self, tmp_path, monkeypatch):
        store = open_store(StorageSettings(recordings=tmp_path / "recordings"))
        first = Machine(store, tmp_path / "one", 1)
        synced: list[int] = []
        monkeypatch.setattr(os, "fsync", synced.append)
        first.log.keep(segment(7))
        first.notes.leave_segments(lasting=False)
        assert not synced
        first.notes.leave_segments()
        assert synced, "although nothing is new"
        del synced[:]
        first.notes.leave_segments()
        assert not synced

    def test_leave_no_half_of_a_note_behind(self, tmp_path):
        recordings = tmp_path / "recordings"
        store = open_store(StorageSettings(recordings=recordings))
        first = Machine(store, tmp_path / "one", 1)
        for name in ("notes", "segments-00000"):
            half = recordings / f"{KEY}.attempt-1.{name}.0123abcd.part"
            half.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(b"half")
        first.notes.clear()
        assert [path for path in recordings.rglob("*") if path.is_file()] == []

    def test_are_no_reason_to_fail(self, store, tmp_path):
        store.put(f"{KEY}.attempt-1.notes", b"no event")
        assert Machine(store, tmp_path / "two", 2).recalled == {}
