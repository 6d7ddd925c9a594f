"""How far ffmpeg is, by what it writes for `-progress`."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

_VALUE = re.compile(rb"^(frame|out_time_us)= *(-?\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """So many pictures, and seconds by its clock, were written by then."""

    frames: int
    out_time: float


class Progress:
    """The reading end of a pipe, read when somebody asks: a thread would be woken each time.

    A report has some 250 bytes. When the pipe is full, after two minutes at the very least,
    ffmpeg waits until somebody asks.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._rest = b""
        self._frames = 0
        os.set_blocking(descriptor, False)

    def reports(self) -> list[Report]:
        """Return what was reported since the last call."""
        lines, _, self._rest = (self._rest + b"".join(self._chunks())).rpartition(b"\n")
        return list(self._parsed(lines))

    def close(self) -> None:
        """Read no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _chunks(self) -> Iterator[bytes]:
        if self._descriptor is None:
            return
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._descriptor, 65536):
                yield chunk

    def _parsed(self, lines: bytes) -> Iterator[Report]:
        for name, value in _VALUE.findall(lines):
            if name == b"frame":
                self._frames = int(value)
            else:
                yield Report(self._frames, int(value) / 1_000_000)
