"""What every recording store does."""

import hashlib
import os
from pathlib import Path

import pytest
from chronicle_storage import (
    BadKey,
    NothingToDeliver,
    ObjectMissing,
    RecordingStore,
    sha256_of_object,
    sha256_of_path,
)

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
MIB = 1024 * 1024


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def rewrite_head(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(44)
        file.write(data)


def content(store: RecordingStore, key: str) -> bytes:
    return b"".join(store.read(key))


class TestObjects:
    def test_are_read_as_they_were_put(self, store):
        stored = store.put(KEY, b"0123456789", content_type="video/x-matroska")
        assert (stored.key, stored.size) == (KEY, 10)
        assert store.stat(KEY) == stored
        assert content(store, KEY) == b"0123456789"

    def test_are_put_from_files(self, store, tmp_path):
        file = tmp_path / "some.bin"
        file.write_bytes(b"abc" * MIB)
        assert store.put(KEY, file).size == 3 * MIB
        assert sha256_of_object(store, KEY) == sha256_of_path(file)

    def test_may_be_empty(self, store):
        assert store.put(KEY, b"").size == 0
        assert content(store, KEY) == b""

    def test_are_replaced_as_a_whole(self, store):
        before = store.put(KEY, b"first, and longer")
        after = store.put(KEY, b"second")
        assert content(store, KEY) == b"second"
        assert before.etag != after.etag

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [(0, 4, b"0123"), (3, 4, b"3456"), (7, None, b"789"), (8, 50, b"89"), (2, 0, b"")],
    )
    def test_are_read_in_ranges(self, store, start, length, expected):
        store.put(KEY, b"0123456789")
        assert b"".join(store.read(KEY, start, length)) == expected

    def test_end_where_they_end(self, store):
        store.put(KEY, b"0123456789")
        assert b"".join(store.read(KEY, 10)) == b""

    def test_come_in_bounded_chunks(self, store):
        data = os.urandom(3 * MIB + 17)
        store.put(KEY, data)
        chunks = list(store.read(KEY))
        assert max(map(len, chunks)) <= MIB
        assert b"".join(chunks) == data
        assert sha256_of_object(store, KEY) == hashlib.sha256(data).hexdigest()

    def test_that_are_missing_are_said_to_be(self, store):
        assert store.stat(KEY) is None
        assert store.delete(KEY) is False
        with pytest.raises(ObjectMissing, match="talk-1a2b3c4d"):
            store.read(KEY)

    def test_are_gone_after_delete(self, store):
        store.put(KEY, b"x")
        assert store.delete(KEY) is True
        assert store.stat(KEY) is None

    def test_are_listed_by_prefix_in_order_of_keys(self, store):
        for key in ("watch/b.torrent", "watch/a.torrent", "watch/deep/c", "other/d"):
            store.put(key, b"x")
        assert [one.key for one in store.list("watch/")] == [
            "watch/a.torrent",
            "watch/b.torrent",
            "watch/deep/c",
        ]
        assert [one.key for one in store.list("watch/b")] == ["watch/b.torrent"]
        assert next(store.list("")).key == "other/d"

    def test_are_not_there_before_anything_was_put(self, store):
        assert list(store.list("")) == []

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/etc/passwd",
            "../up",
            "a/../b",
            "a//b",
            "a b",
            "a/",
            "ä",
            "x" * 221,
            "a\nb",
            "a.part",
        ],
    )
    def test_have_checked_keys(self, store, key, tmp_path):
        with pytest.raises(BadKey):
            store.put(key, b"x")
        with pytest.raises(BadKey):
            store.stat(key)
        with pytest.raises(BadKey):
            store.read(key)
        with pytest.raises(BadKey):
            store.local_path(key)
        with pytest.raises(BadKey):
            store.grow(key, spool=tmp_path, name="attempt-1")


class TestGrowingObject:
    def grow(self, store: RecordingStore, tmp_path: Path, name: str = "attempt-1"):
        return store.grow(KEY, spool=tmp_path / "spool", name=name)

    def test_becomes_the_object_with_its_last_head(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        data = os.urandom(20 * MIB)
        for at in range(0, len(data), 5 * MIB):
            append(growing.path, data[at : at + 5 * MIB])
            assert growing.flush() == at + 5 * MIB
        rewrite_head(growing.path, b"the final head")
        append(growing.path, b"cues")
        expected = sha256_of_path(growing.path)
        stored = growing.complete()
        assert growing.checksum() == ("sha256", expected)
        assert stored.size == 20 * MIB + 4
        assert store.stat(KEY) == stored
        assert sha256_of_object(store, KEY) == expected

    def test_is_no_object_before_it_is_complete(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        append(growing.path, b"x" * 1000)
        growing.flush()
        assert store.stat(KEY) is None
        assert list(store.list("")) == []

    def test_may_be_small_and_never_flushed(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        append(growing.path, b"tiny")
        assert growing.complete().size == 4
        assert content(store, KEY) == b"tiny"

    def test_may_be_small_and_flushed(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        append(growing.path, b"tiny")
        assert growing.flush() == 4
        append(growing.path, b" more")
        growing.complete()
        assert content(store, KEY) == b"tiny more"

    def test_has_nothing_durable_before_something_is_written(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        assert growing.flush() == 0
        assert growing.durable == 0

    def test_cannot_be_completed_without_a_byte(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        with pytest.raises(NothingToDeliver):
            growing.complete()
        growing.path.touch()
        with pytest.raises(NothingToDeliver):
            growing.complete()

    def test_is_completed_once_however_often_it_is_asked(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        append(growing.path, b"tiny")
        assert growing.complete() == growing.complete()

    def test_goes_on_in_a_later_process(self, store, tmp_path):
        first = self.grow(store, tmp_path)
        append(first.path, b"a" * 9 * MIB)
        first.flush()
        later = self.grow(store, tmp_path)
        append(later.path, b"b" * 9 * MIB)
        expected = sha256_of_path(later.path)
        assert later.flush() == 18 * MIB
        later.complete()
        assert sha256_of_object(store, KEY) == expected

    def test_is_kept_apart_from_another_of_the_same_key(self, store, tmp_path):
        one, other = self.grow(store, tmp_path), self.grow(store, tmp_path, "joined")
        append(one.path, b"one")
        append(other.path, b"other")
        other.flush()
        other.complete()
        one.discard()
        assert content(store, KEY) == b"other"

    def test_leaves_nothing_when_it_is_discarded(self, store, tmp_path):
        growing = self.grow(store, tmp_path)
        append(growing.path, b"x" * 9 * MIB)
        growing.flush()
        growing.discard()
        growing.discard()
        assert not growing.path.exists()
        assert store.stat(KEY) is None
        assert growing.flush() == 0

    def test_has_a_checked_name(self, store, tmp_path):
        with pytest.raises(BadKey, match="attempt/1"):
            self.grow(store, tmp_path, "attempt/1")
