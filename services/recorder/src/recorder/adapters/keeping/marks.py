"""How far, in segments, saved bytes reach.

A fetcher knows what it gave to the remuxer; what of it is in the file when all are killed, or in
the store when the machine is lost, are so many bytes. So it is marked how large the recording
was when each segment was begun to be written. A segment may be in the saved bytes exactly if it
was begun before they end, and the next attempt begins behind the last such one. That repeats
nothing; what it lacks is the end of that one segment, which a remuxer keeps back until another
comes: less than a second.

Marks stand in the log of segments, which is left in the store before each flush, or with each
segment where the store is a folder: there every byte is stored as it is written. A flush of the
tail waits for a moment at which what was begun is in the file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recorder.adapters.fetching.position import Position
from recorder.adapters.keeping.pieces import piece_of

SETTLED = 0.4  # seconds after which the remuxer has written what it was given
COUNTED = 2.0  # seconds after which it has also said so: its reports are rare, the first is late
LEAST_WAIT = 0.05  # seconds; a write takes some milliseconds
LONGEST_WAIT = 1.0  # seconds for a source that is never still


@dataclass(frozen=True)
class Mark:
    """A segment of a track was begun when the recording had `begun` bytes.

    `media`: seconds of it up to the segment's end; `file` took it, and was `given` so many
    seconds up to there. Both are 0 where nobody knows how long segments are.
    """

    track: int
    begun: int
    media: float
    position: Position
    file: str = ""
    given: float = 0.0


@dataclass(frozen=True)
class Reach:
    """Where the tracks stand in the stored bytes, and how many seconds of media that is."""

    positions: Mapping[int, Position]
    media_seconds: float

    @property
    def until(self) -> dict[int, datetime]:
        """When the last segment of each track was kept."""
        return {track: position.kept_at for track, position in self.positions.items()}


def reach(marks: Iterable[Mark], stored: int) -> Reach | None:
    """Return how far the first `stored` bytes reach; None unless that is known of all tracks."""
    tracks: set[int] = set()
    last: dict[int, Mark] = {}
    for mark in marks:
        tracks.add(mark.track)
        if mark.begun < stored:
            last[mark.track] = mark
    if not last or last.keys() < tracks:
        return None
    return Reach(
        {track: mark.position for track, mark in last.items()},
        min(mark.media for mark in last.values()),  # one may be written before the other's end
    )


class Leave(Protocol):
    """Brings to the store what was noted."""

    def __call__(self, *, lasting: bool) -> None:
        """Do it; `lasting`: so that a power cut does not undo it."""


class Marks:
    """Marks what one attempt writes; counted in bytes and seconds of the whole recording.

    `note` takes each mark, `leave` brings to the store what was noted. Fetchers call `begin`,
    `give` and `keep`, a thread per track; whoever flushes calls `settle` and `leave`.
    """

    def __init__(self, note: Callable[[Mark], None], leave: Leave, *, is_folder: bool) -> None:
        self._note = note
        self._leave = leave
        self._is_folder = is_folder
        self._lock = threading.Lock()
        self._size_before = 0
        self._media_before = 0.0
        self._begun: dict[int, tuple[int, float]] = {}  # size and media when a write began
        self._given: dict[int, tuple[str, float]] = {}  # file, seconds in it when a write began
        self._last: dict[int, Mark] = {}
        self._kept: dict[int, float] = {}  # when that was
        self._begun_at = self._kept_at = 0.0

    def count_from(self, size: int, media_seconds: float) -> None:
        """Go on counting where earlier attempts stood."""
        self._size_before, self._media_before = size, media_seconds

    def begin(self, track: int, size: int, media_seconds: float) -> None:
        """Media is about to be written; of this attempt there is so much by now."""
        with self._lock:
            if track not in self._begun:
                self._begun_at = time.monotonic()
                self._begun[track] = (
                    self._size_before + size,
                    self._media_before + media_seconds,
                )

    def give(self, track: int, file: str, media_seconds: float) -> None:
        """What was written is in this file, which held so many seconds before that."""
        with self._lock:
            piece, before = piece_of(file), self._given.get(track)
            if before is None or before[0] != piece:
                self._given[track] = (piece, media_seconds)

    def keep(self, track: int, position: Position) -> None:
        """It was this segment that was written now."""
        with self._lock:
            now, last = time.monotonic(), self._last.get(track)
            if track not in self._begun:
                return  # an empty segment: nothing of it can be missing
            begun, media = self._begun.pop(track)
            file, given = self._given.pop(track, ("", 0.0))
            if last is not None and now - self._kept[track] < COUNTED + position.seconds / 2:
                media = _counted(media, last.media, last)
                if last.file in {"", file}:
                    given = _counted(given, last.given, last)
            self._kept_at = self._kept[track] = now
            if position.seconds:
                media, given = media + position.seconds, given + position.seconds
            else:
                media = given = 0.0
            mark = self._last[track] = Mark(track, begun, media, position, file, given)
        self._note(mark)
        if self._is_folder:
            self._leave(lasting=False)  # no more so than the media, which is flushed later

    def settle(self) -> None:
        """Wait for a moment at which what was begun is in the file.

        A source that never gives it a moment is not waited for: half a segment may be lost then.
        """
        until = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < until and (rest := self._amid_for()) > 0:
            time.sleep(rest)

    def leave(self) -> None:
        """Bring to the store what tells how far the file has come by now."""
        self._leave(lasting=True)

    def _amid_for(self) -> float:
        """Return for how long it is not worth looking whether what was begun is in the file."""
        now = time.monotonic()
        # What is not of segments is begun once and never kept.
        if self._begun and now - self._begun_at < LONGEST_WAIT:
            return LEAST_WAIT
        return self._kept_at + SETTLED - now


def _counted(seconds: float, given: float, last: Mark) -> float:
    """Return what a remuxer has counted; what it was given where the last segment lacks there."""
    return given if seconds < given - last.position.seconds / 2 else seconds
