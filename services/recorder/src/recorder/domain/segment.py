"""What a source's segments were, one by one: the evidence for what a recording holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Segment:
    """A segment that is in the recording, as the source served it.

    `sequence` is the source's own number of it; `at` the wall clock at which it was kept;
    `seconds` what the source says of its length; `size` (bytes) and `sha256` (hexadecimal) are
    of the body as it was served, before anything was decrypted or taken out of it.
    `programme_time` is EXT-X-PROGRAM-DATE-TIME of its beginning, given or counted on;
    `track` is 0 for pictures (or all in one), 1 for sound that comes apart.
    """

    sequence: int
    at: datetime
    seconds: float
    size: int
    sha256: str
    programme_time: datetime | None = None
    discontinuity: bool = False
    track: int = 0


@dataclass(frozen=True)
class DateRange:
    """What a source says of a stretch of its programme (EXT-X-DATERANGE; RFC 8216, 4.3.2.7).

    The same `id` may be told again with more in it. `attributes` are its other attributes as
    they were written, SCTE-35 among them.
    """

    id: str
    start: datetime
    end: datetime | None = None
    seconds: float | None = None
    planned_seconds: float | None = None
    kind: str | None = None  # CLASS
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Missed:
    """Segments that could not be had: how many, how long by the source's word, and why."""

    cause: str
    seconds: float
    segments: int
    at: datetime
