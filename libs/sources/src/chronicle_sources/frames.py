"""How media comes from the child that fetches: frames of a number, a length and bytes."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Numbers of frames that are no fragments.
BYTES, MISSED, ANSWER = -1, -2, -3

MOST_OF_FRAME = 256 * 1024 * 1024  # bytes; a fragment of ten seconds of 8K has 100 MB
_HEAD = struct.Struct(">qI")


class TornFrame(Exception):
    """The child ended within a frame, or sent something else."""


@dataclass(frozen=True)
class Frame:
    """A fragment by its number; or `BYTES` without one, `MISSED` fragments, the `ANSWER`."""

    number: int
    data: bytes


class FrameWriter:
    """Writes frames; also a stream of bytes without numbers, for who knows nothing of frames."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def put(self, number: int, data: bytes) -> None:
        """Write a frame."""
        with self._lock:
            self._stream.write(_HEAD.pack(number, len(data)) + data)
            self._stream.flush()

    def write(self, data: bytes) -> int:
        """Write bytes that are no fragment."""
        self.put(BYTES, bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The stream stays open: an answer comes after all media."""


def frames(stream: BinaryIO) -> Iterator[Frame]:
    """Yield the frames of a stream to its end. Raises `TornFrame`."""
    while head := stream.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise TornFrame("the child broke off")
        number, length = _HEAD.unpack(head)
        if length > MOST_OF_FRAME:
            raise TornFrame(f"the child sent {length} bytes at once")
        data = stream.read(length)
        if len(data) < length:
            raise TornFrame("the child broke off")
        yield Frame(number, data)
