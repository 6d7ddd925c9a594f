"""How much of a growing object stays on the recorder's disk."""

import os
from itertools import count
from pathlib import Path

import pytest
from chronicle_storage import hole, sha256_of_object, sha256_of_path
from chronicle_storage.crc64 import crc64_of_slice
from chronicle_storage.hole import allocated
from chronicle_storage.s3 import S3Store

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
MIB = 1024 * 1024
PART = 8 * MIB


class Bodies:
    """Random bytes of which a stretch can be made again, so that nobody keeps them all."""

    def __init__(self):
        self.block = os.urandom(MIB)

    def at(self, number: int) -> bytes:
        return number.to_bytes(8, "big") + self.block[8:]


@pytest.fixture
def store(bucket):
    return S3Store(bucket, keep=2 * PART)


def grow(store, tmp_path):
    return store.grow(KEY, spool=tmp_path / "spool", name="attempt-1")


def append(growing, data: bytes) -> None:
    with growing.path.open("ab") as file:
        file.write(data)


def is_punchable(tmp_path) -> bool:
    probe = tmp_path / "probe.bin"
    probe.write_bytes(b"x" * MIB)
    return hole.punch(probe, 0, MIB)


class TestSpool:
    def test_stays_small_however_long_the_recording(self, store, tmp_path):
        growing, bodies, most = grow(store, tmp_path), Bodies(), 0
        whole = tmp_path / "whole.bin"
        with whole.open("wb") as copy:
            for number in range(200):
                append(growing, bodies.at(number))
                copy.write(bodies.at(number))
                if number % 4 == 3:
                    growing.flush()
                    most = max(most, allocated(growing.path))
        with growing.path.open("r+b") as file, whole.open("r+b") as copy:
            for one in (file, copy):
                one.seek(44)
                one.write(b"the final head")
        growing.complete()
        assert growing.path.stat().st_size == 200 * MIB
        if is_punchable(tmp_path):
            # Part 1, what is kept, the part that is not full yet.
            assert most <= PART + 2 * PART + PART
        assert growing.checksum() == ("crc64nvme", crc64_of_slice(whole, 0, 200 * MIB))
        assert sha256_of_object(store, KEY) == sha256_of_path(whole)

    def test_keeps_whole_what_is_small(self, store, tmp_path):
        growing = grow(store, tmp_path)
        append(growing, os.urandom(3 * PART))
        growing.flush()
        expected = sha256_of_path(growing.path)
        growing.complete()
        assert growing.checksum() == ("sha256", expected)
        assert sha256_of_object(store, KEY) == expected

    def test_is_taken_up_by_a_later_process_as_it_was_left(self, store, tmp_path):
        first, bodies, numbers = grow(store, tmp_path), Bodies(), count()
        sent = [bodies.at(next(numbers)) for _ in range(40)]
        append(first, b"".join(sent))
        first.flush()
        later = grow(store, tmp_path)
        sent += [bodies.at(next(numbers)) for _ in range(10)]
        append(later, b"".join(sent[40:]))
        assert later.flush() == 50 * MIB
        stored = later.complete()
        assert b"".join(store.read(KEY)) == b"".join(sent)
        # After a crash between the delivery and whatever was to be said about it:
        again = grow(store, tmp_path)
        assert again.complete() == stored
        assert again.checksum() == later.checksum()
        assert b"".join(store.read(KEY)) == b"".join(sent)

    def test_stays_as_it_is_where_the_file_system_has_no_holes(self, store, tmp_path, monkeypatch):
        monkeypatch.setattr(hole, "_fallocate", lambda: None)
        growing, data = grow(store, tmp_path), os.urandom(5 * PART)
        append(growing, data)
        growing.flush()
        assert growing.path.read_bytes() == data
        growing.complete()
        assert growing.checksum() == ("sha256", sha256_of_path(growing.path))

    def test_gives_up_no_object_that_only_the_bucket_had(self, store, tmp_path):
        growing = grow(store, tmp_path)
        append(growing, os.urandom(5 * PART))
        growing.flush()
        growing.complete()
        store.delete(KEY)
        with pytest.raises(Exception, match="is there no more"):
            grow(store, tmp_path).complete()


class TestMemory:
    def test_is_little_however_many_parts_are_sent(self, store, tmp_path):
        growing, block = grow(store, tmp_path), os.urandom(PART)
        for _ in range(3):
            append(growing, block)
        growing.flush()  # what is loaded at the first request is not what this is about
        for _ in range(24):
            append(growing, block)
        before = resident(peak=False)
        growing.flush()
        assert growing.durable == 27 * PART
        # Three at once, a megabyte of each, and what is on its way: not a part in memory.
        assert resident(peak=True) - before < 2 * PART


def resident(*, peak: bool) -> int:
    """Bytes in memory now, or the most since the last look without `peak`."""
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): begin to watch the peak anew
    name = "VmHWM" if peak else "VmRSS"
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
