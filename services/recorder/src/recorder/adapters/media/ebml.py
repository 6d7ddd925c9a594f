"""EBML (RFC 8794), as far as Matroska needs it: elements read in one pass, elements written.

Files that were cut off, or of which stretches are gone, are read as well: what cannot be read is
passed over up to the next cluster, and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

EBML_HEAD, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
OPENED = frozenset({SEGMENT, CLUSTER})  # their children follow, whatever size they claim

UNKNOWN = (1 << 56) - 1  # the size of what is still written, in eight bytes

MOST_OF_ELEMENT = 128 * 1024 * 1024  # bytes; no picture of ours is as large
_CHUNK = 1024 * 1024

# A cluster: its id, a size of one to eight bytes, then (behind a checksum) its time.
_CLUSTER = re.compile(rb"\x1f\x43\xb6\x75(?=.{1,8}(?:\xbf\x84.{4})?\xe7[\x81-\x88])", re.DOTALL)


@dataclass(frozen=True)
class Element:
    """One element; a master of `OPENED` comes without content, before its children."""

    id: int
    content: bytes


@dataclass(frozen=True)
class Damage:
    """Bytes that could not be read; what comes next is a cluster."""

    bytes: int


class Unreadable(Exception):
    """This is no EBML."""


class Elements:
    """The elements of a file, in one pass from its beginning.

    `holes` are ranges of it (start, end) that hold nothing.
    """

    def __init__(self, file: BinaryIO, holes: Sequence[tuple[int, int]] = ()) -> None:
        self._file = file
        self._holes = list(holes)
        self._at = 0
        self._ahead = b""  # read from the file, not yet looked at
        self._ends: int | None = None  # where its writer, having come to the end, says it ends

    @property
    def are_all(self) -> bool:
        """Whether all was read that a writer wrote who came to the end."""
        return self._ends is not None and self._at >= self._ends

    def __iter__(self) -> Iterator[Element | Damage]:
        """Yield what there is; a truncated last element is left out."""
        while True:
            began = self._at
            try:
                head = self._head()
            except EOFError:
                return
            if head is None:
                skipped = self._find_cluster()
                if skipped is None:
                    return
                yield Damage(self._at - began)
                continue
            name, size = head
            if name in OPENED:
                if name == SEGMENT and size != UNKNOWN:
                    self._ends = self._at + size
                yield Element(name, b"")
                continue
            if self._is_in_hole(began, self._at + size):
                if self._find_cluster() is None:
                    return
                yield Damage(self._at - began)
                continue
            content = self._read(size)
            if len(content) < size:
                return
            yield Element(name, content)

    def _head(self) -> tuple[int, int] | None:
        """Return an element's id and size; None where there is none that makes sense."""
        first = self._read(1)
        if not first:
            raise EOFError
        length = 9 - first[0].bit_length()
        if length > 4:
            return None
        raw = first + self._exactly(length - 1)
        size_first = self._exactly(1)
        size_length = 9 - size_first[0].bit_length()
        if size_length > 8:
            return None
        rest = self._exactly(size_length - 1)
        name = int.from_bytes(raw)
        size = int.from_bytes(size_first + rest) - (1 << 7 * size_length)
        if name not in OPENED and size > MOST_OF_ELEMENT:
            return None
        return name, size

    def _is_in_hole(self, start: int, end: int) -> bool:
        return any(start < hole_end and end > hole_start for hole_start, hole_end in self._holes)

    def _find_cluster(self) -> int | None:
        """Go to the next cluster; return the bytes passed over, None where there is none."""
        began = self._at
        window = b""
        while True:
            self._leap()
            chunk = self._read(_CHUNK)
            window += chunk
            if found := _CLUSTER.search(window):
                self._unread(window[found.start() :])
                return self._at - began
            if not chunk:
                return None
            window = window[-32:]

    def _leap(self) -> None:
        """Where this is a hole, go to its end."""
        for start, end in self._holes:
            if start <= self._at < end:
                while self._at < end and self._read(min(_CHUNK, end - self._at)):
                    pass

    def _exactly(self, size: int) -> bytes:
        data = self._read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _read(self, size: int) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            if len(data) < size:
                data += self._file.read(size - len(data))
        else:
            data = self._file.read(size)
        self._at += len(data)
        return data

    def _unread(self, data: bytes) -> None:
        self._ahead = data + self._ahead
        self._at -= len(data)


def children(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the ids and contents of a master's children; raises `Unreadable`."""
    at = 0
    while at < len(content):
        try:
            name, at = _number(content, at, keep_mark=True)
            size, at = _number(content, at, keep_mark=False)
        except IndexError:
            raise Unreadable("an element ends in the middle") from None
        yield name, content[at : at + size]
        at += size


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int, int]:
    length = 9 - data[at].bit_length()
    if length > 8:
        raise Unreadable("a number of more than eight bytes")
    number = int.from_bytes(data[at : at + length])
    return (number if keep_mark else number - (1 << 7 * length)), at + length


def uint(content: bytes) -> int:
    """Return an unsigned integer."""
    return int.from_bytes(content)


def element(name: int, content: bytes) -> bytes:
    """Return an element's bytes, its size as short as it can be."""
    size = len(content)
    length = next(n for n in range(1, 9) if size < (1 << 7 * n) - 1)
    marked = size | 1 << 7 * length
    return name_of(name) + marked.to_bytes(length) + content


def sized(name: int, size: int | None) -> bytes:
    """Return the head of a master whose size takes eight bytes; None is unknown."""
    return name_of(name) + ((1 << 56) | (size if size is not None else UNKNOWN)).to_bytes(8)


def name_of(name: int) -> bytes:
    """Return an id's bytes."""
    return name.to_bytes((name.bit_length() + 7) // 8)


def unsigned(name: int, value: int, length: int | None = None) -> bytes:
    """Return an element that holds an unsigned integer."""
    return element(name, value.to_bytes(length or max(1, (value.bit_length() + 7) // 8)))
