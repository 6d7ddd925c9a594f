"""What becomes of what a lost attempt had stored, in every store."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_storage import (
    RecordingStore,
    Superseded,
    aside_key,
    sha256_of_object,
    sha256_of_path,
)
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_attempts import S3Attempts
from chronicle_storage.s3_uploads import Uploads

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
MIB = 1024 * 1024


def append(growing, data: bytes) -> bytes:
    with growing.path.open("ab") as file:
        file.write(data)
    return data


def content(store: RecordingStore, key: str) -> bytes:
    return b"".join(store.read(key))


@pytest.fixture
def older(store, tmp_path):
    """The first attempt, on a machine of its own."""
    return store.grow(KEY, spool=tmp_path / "lost machine", name="attempt-1", turn=1)


@pytest.fixture
def newer(store, tmp_path):
    """The second one, on another."""
    return store.grow(KEY, spool=tmp_path / "new machine", name="attempt-2", turn=2)


class TestSalvage:
    def test_sets_aside_what_a_lost_attempt_had_stored(self, store, older):
        data = append(older, os.urandom(9 * MIB))
        older.flush()
        store.take_over(KEY, 2)
        [lost] = store.unfinished(KEY)
        assert lost.id == older.id
        stored = store.salvage(lost)
        assert stored is not None
        assert stored.key == aside_key(KEY, lost.name)
        assert content(store, stored.key) == data
        assert store.stat(KEY) is None, "it is not the recording"
        assert store.unfinished(KEY) == []
        assert [(one.key, one.size) for one in store.aside(KEY)] == [(stored.key, 9 * MIB)]
        assert store.salvage(lost) == stored, "it can be repeated"
        store.forget(KEY)
        assert store.aside(KEY) == []

    def test_has_nothing_to_do_where_nothing_was_stored(self, store):
        store.take_over(KEY, 2)
        assert store.unfinished(KEY) == []
        assert store.aside(KEY) == []
        store.forget(KEY)

    def test_finds_several_in_the_order_of_their_beginning(self, store, tmp_path):
        for number in (1, 2):
            grown = store.grow(
                KEY, spool=tmp_path / str(number), name=f"attempt-{number}", turn=number
            )
            append(grown, str(number).encode() * 1000)
            grown.flush()
            store.take_over(KEY, number + 1)
            # What one attempt salvaged comes before what the next one leaves.
            for lost in store.unfinished(KEY):
                store.salvage(lost)
        assert sorted(content(store, one.key)[:1] for one in store.aside(KEY)) == [b"1", b"2"]

    def test_leaves_other_objects_alone(self, store, older, tmp_path):
        other = store.grow(f"{KEY}x", spool=tmp_path / "other", name="attempt-1")
        append(other, b"other")
        other.flush()
        store.put(f"{KEY}.journal.jsonl", b"{}")
        assert store.unfinished(KEY) == []
        store.forget(KEY)
        assert store.stat(f"{KEY}.journal.jsonl") is not None
        assert [one.id for one in store.unfinished(f"{KEY}x")] == [other.id]

    def test_tells_copies_from_what_was_recorded(self, store, tmp_path):
        joined = store.grow(KEY, spool=tmp_path, name="joined", derived=True)
        append(joined, b"joined")
        joined.flush()
        [found] = store.unfinished(KEY)
        assert found.derived
        store.abort(found)
        assert store.unfinished(KEY) == []


class TestTakeOver:
    def test_keeps_the_older_attempt_from_completing(self, store, older, newer):
        append(older, b"x" * 9 * MIB)
        older.flush()
        store.take_over(KEY, 2)
        with pytest.raises(Superseded, match="attempt 2 has taken over from attempt 1"):
            older.complete()
        assert store.stat(KEY) is None
        append(newer, b"new")
        assert newer.complete().size == 3
        assert content(store, KEY) == b"new"

    def test_keeps_an_older_one_out_that_had_stored_nothing(self, store, older):
        store.take_over(KEY, 2)
        append(older, b"x" * 1000)
        with pytest.raises(Superseded):
            older.complete()
        assert store.stat(KEY) is None

    def test_is_never_undone_by_an_older_one(self, store, older):
        store.take_over(KEY, 3)
        store.take_over(KEY, 2)
        append(older, b"x")
        with pytest.raises(Superseded, match="attempt 3"):
            older.complete()


class TestLeftovers:
    def test_are_what_nobody_has_touched_for_long(self, store, older, tmp_path):
        other = store.grow("other/talk.mkv", spool=tmp_path / "other", name="attempt-1")
        for grown in (older, other):
            append(grown, b"x" * 1000)
            grown.flush()
        soon = datetime.now(UTC) + timedelta(minutes=1)
        assert list(store.leftovers("", before=soon - timedelta(hours=1))) == []
        assert {one.key for one in store.leftovers("", before=soon)} == {KEY, "other/talk.mkv"}
        [found] = store.leftovers("recordings/", before=soon)
        assert (found.key, found.id, found.size) == (KEY, older.id, 1000)
        store.abort(found)
        assert list(store.leftovers("recordings/", before=soon)) == []
        assert store.unfinished(KEY) == []
        assert [one.id for one in store.leftovers("", before=soon)] == [other.id]

    def test_are_not_what_was_delivered(self, store, older):
        append(older, b"x" * 1000)
        older.flush()
        older.complete()
        assert list(store.leftovers("", before=datetime.now(UTC) + timedelta(minutes=1))) == []


class TestSettingAside:
    def test_completes_beside_the_key(self, store, older):
        data = append(older, os.urandom(9 * MIB))
        older.flush()
        stored = older.set_aside()
        assert stored.key == aside_key(KEY, "attempt-1")
        assert content(store, stored.key) == data
        assert store.stat(KEY) is None


class TestSettingAsideInABucket:
    def test_brings_back_what_was_punched_out(self, bucket, tmp_path):
        store = S3Store(bucket, keep=0)
        growing = store.grow(KEY, spool=tmp_path / "spool", name="attempt-1")
        append(growing, os.urandom(25 * MIB))
        copy = tmp_path / "copy"
        copy.write_bytes(growing.path.read_bytes())
        growing.flush()
        assert not growing.is_here
        stored = growing.set_aside()
        assert sha256_of_object(store, stored.key) == sha256_of_path(copy)
        assert growing.set_aside() == stored, "it can be repeated"

    def test_stops_an_older_attempt_that_still_sends(self, bucket, tmp_path):
        store = S3Store(bucket)
        older = store.grow(KEY, spool=tmp_path / "spool", name="attempt-1", turn=1)
        append(older, b"x" * 9 * MIB)
        older.flush()
        store.take_over(KEY, 2)
        for lost in store.unfinished(KEY):
            store.salvage(lost)
        append(older, b"y" * 9 * MIB)
        with pytest.raises(Superseded):
            older.flush()
        assert store.unfinished(KEY) == []

    def test_stops_it_also_while_what_it_stored_is_being_moved(self, bucket, tmp_path, monkeypatch):
        store = S3Store(bucket)
        older = store.grow(KEY, spool=tmp_path / "spool", name="attempt-1", turn=1)
        append(older, b"x" * 9 * MIB)
        older.flush()
        store.take_over(KEY, 2)
        attempts = S3Attempts(bucket, KEY)
        monkeypatch.setattr(attempts, "_move", lambda name: None)
        attempts.salvage(store.unfinished(KEY)[0])
        assert store.stat(KEY) is not None, "its upload is the object for a moment"
        append(older, b"y" * 9 * MIB)
        with pytest.raises(Superseded):
            older.flush()

    def test_goes_on_after_a_crash_in_the_middle(self, bucket, tmp_path, monkeypatch):
        store = S3Store(bucket)
        growing = store.grow(KEY, spool=tmp_path / "spool", name="attempt-1", turn=1)
        data = append(growing, os.urandom(9 * MIB))
        growing.flush()
        attempts = S3Attempts(bucket, KEY)
        [lost] = store.unfinished(KEY)

        def die(name):
            raise RuntimeError("crash")

        monkeypatch.setattr(attempts, "_move", die)
        with pytest.raises(RuntimeError):
            attempts.salvage(lost)
        assert list(Uploads(bucket).open(KEY)) == [], "it was completed"
        [found] = store.unfinished(KEY)
        assert found.id == lost.id
        stored = store.salvage(found)
        assert stored is not None
        assert content(store, stored.key) == data
        assert store.stat(KEY) is None
        assert store.unfinished(KEY) == []
        assert [path.key for path in store.list("")] == [stored.key]
