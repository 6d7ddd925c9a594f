"""The file `segments.jsonl` of the work folder: what was kept, a line a segment and a mark.

It is only ever appended to, by all attempts of a job, so that nothing grows with the length
of the recording but the file. A process that is killed leaves half a line at most; that one
is passed over by whoever reads.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from recorder.adapters.fetching.position import Position
from recorder.adapters.keeping.marks import Mark, Reach, reach
from recorder.domain.segment import DateRange, Missed, Segment

log = structlog.get_logger(__name__)

FILE: Final = "segments.jsonl"


@dataclass(frozen=True)
class Void:
    """An attempt fell: what was noted before this line as kept later is in no file.

    `lost_since` tells for each track when the last segment was kept that was saved.
    """

    lost_since: Mapping[int, datetime]

    def holds_for(self, line: _Line) -> bool:
        """Return whether a line before this one speaks of what is lost."""
        if isinstance(line, Segment):
            return line.track in self.lost_since and line.at > self.lost_since[line.track]
        if isinstance(line, Mark):
            since = self.lost_since.get(line.track)
            return since is not None and line.position.kept_at > since
        return False


@dataclass(frozen=True)
class AskedAgain:
    """An attempt asked for all since then: what was missed later is kept or missed below this."""

    asked_since: datetime
    attempt: int

    def holds_for(self, line: _Line) -> bool:
        """Return whether a line before this one counts no more."""
        return isinstance(line, Missed) and line.at > self.asked_since


_Line = Segment | DateRange | Missed | Mark | Void | AskedAgain
_LINE: TypeAdapter[_Line] = TypeAdapter(_Line)


class SegmentLog:
    """Implements `ports.Ledger` and `ports.Account`; fetchers may write from several threads."""

    def __init__(self, work_dir: Path) -> None:
        self.path = work_dir / FILE
        self._lock = threading.Lock()
        self._told: dict[str, DateRange] = {}
        self._programme_time: datetime | None = None
        self._kept = 0
        self._saved_until: datetime | None = None

    def keep(self, segment: Segment) -> None:
        """Append a segment."""
        with self._lock:
            if self._kept == 0:
                self._programme_time = segment.programme_time
            self._kept += 1
        self._append(segment)

    def tell(self, date_range: DateRange) -> None:
        """Append what is new of a date range; playlists repeat theirs with every reload."""
        with self._lock:
            if self._told.get(date_range.id) == date_range:
                return
            self._told[date_range.id] = date_range
        self._append(date_range)

    def miss(self, missed: Missed) -> None:
        """Append segments that could not be had."""
        self._append(missed)

    @property
    def programme_time(self) -> datetime | None:
        """When, by the source's own clock, the first media of this run was made."""
        return self._programme_time

    def mark(self, mark: Mark) -> None:
        """Append how far the file had come when a segment was begun."""
        self._append(mark)

    def recover(self, stored: int) -> Reach | None:
        """Return how far the first `stored` bytes of the recording reach; None if unknown.

        What was noted beyond that counts no more.
        """
        if stored == 0:
            self._forget()
            return None
        found = reach((line for line in self._lines() if isinstance(line, Mark)), stored)
        if found is not None:
            log.info("saved_segments_found", stored=stored, media_seconds=found.media_seconds)
            self._append(Void(found.until))
            self._saved_until = min(found.until.values())
        return found

    @property
    def saved_until(self) -> datetime | None:
        """When the last segment was kept that is saved of earlier attempts; None if unknown."""
        return self._saved_until

    def go_on(self, attempt: int) -> None:
        """What follows on the last saved segment is fetched, or told as missed, by this attempt."""
        if self._saved_until is not None:
            self._append(AskedAgain(self._saved_until, attempt))

    def asked_since(self) -> dict[int, datetime]:
        """Return which attempts asked again for what others had seen, and since when."""
        lines = (line for _, line in self._voids())
        return {one.attempt: one.asked_since for one in lines if isinstance(one, AskedAgain)}

    def given(self) -> dict[str, float]:
        """Return how many seconds of media each file was given, where that was noted."""
        last: dict[str, dict[int, float]] = {}
        for line in self._lines():
            if isinstance(line, Mark) and line.file and line.given:
                last.setdefault(line.file, {})[line.track] = line.given
        # Of two tracks one may have been counted on by what the other was given already.
        return {file: min(tracks.values()) for file, tracks in last.items()}

    def positions(self) -> dict[int, Position]:
        """Return the segment of each track that was kept last."""
        return {line.track: line.position for line in self._lines() if isinstance(line, Mark)}

    def segments(self) -> Iterator[Segment]:
        """Yield the segments of all attempts in the order in which they were kept."""
        return (line for line in self._lines() if isinstance(line, Segment))

    def date_ranges(self) -> Iterator[DateRange]:
        """Yield the date ranges of all attempts, each as it was told last."""
        last = {line.id: line for line in self._lines() if isinstance(line, DateRange)}
        return iter(last.values())

    def count(self) -> tuple[int, int]:
        """Return how many segments all attempts kept, and how many they missed."""
        kept = missed = 0
        for line in self._lines():
            if isinstance(line, Segment):
                kept += 1
            elif isinstance(line, Missed):
                missed += line.segments
        return kept, missed

    def clear(self) -> None:
        """Delete the file."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _forget(self) -> None:
        """Nothing is saved: what was kept is in no file."""
        tracks = {line.track for line in self._lines() if isinstance(line, Segment)}
        if tracks:
            self._append(Void(dict.fromkeys(tracks, datetime.min.replace(tzinfo=UTC))))

    def _append(self, line: _Line) -> None:
        text = _LINE.dump_json(line, exclude_defaults=True)
        with self._lock:
            try:
                with self.path.open("ab+") as file:
                    if _is_torn(file):
                        file.write(b"\n")
                    file.write(text + b"\n")
            except OSError as error:
                # A recording without its evidence is worth more than none.
                log.warning("segment_not_noted", error=str(error))

    def _lines(self) -> Iterator[_Line]:
        """Yield what was noted and still holds."""
        voids = self._voids()
        for number, line in self._noted():
            if not any(number < place and void.holds_for(line) for place, void in voids):
                yield line

    def _voids(self) -> list[tuple[int, Void | AskedAgain]]:
        return [
            (number, line)
            for number, line in self._noted(having=(b'"lost_since"', b'"asked_since"'))
            if isinstance(line, Void | AskedAgain)
        ]

    def _noted(self, having: tuple[bytes, ...] = (b"",)) -> Iterator[tuple[int, _Line]]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for number, text in enumerate(file):
                if not any(one in text for one in having):
                    continue
                try:
                    yield number, _LINE.validate_json(text)
                except ValidationError:
                    log.warning("segment_line_unreadable", length=len(text))


def _is_torn(file: BinaryIO) -> bool:
    """Return whether the last line has no end: its writer was killed."""
    if file.seek(0, 2) == 0:
        return False
    file.seek(-1, 2)
    return file.read(1) != b"\n"
