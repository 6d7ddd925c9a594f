"""A DASH presentation (ISO/IEC 23009-1), as far as a recorder must know it.

Times are seconds. Those of a presentation count from its `starts_at`, a Unix time; a film that
has none counts from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Range = tuple[int, int | None]  # first and last byte


@dataclass(frozen=True)
class Part:
    """A file, or a range of one."""

    url: str
    byte_range: Range | None = None


@dataclass(frozen=True)
class Run:
    """`S` of a SegmentTimeline: `count` segments of `ticks`; a count of None goes on."""

    begins: int
    ticks: int
    count: int | None


@dataclass(frozen=True)
class Template:
    """Addresses made of numbers or times."""

    base: str
    media: str
    values: tuple[tuple[str, str], ...]  # what the other identifiers stand for


@dataclass(frozen=True)
class Representation:
    """One rendition within one period.

    Segments are told by `template` or `parts` (listed one by one), their times by `runs` or by
    `ticks` (all of one length); either list may be empty for a while. With neither it is one
    file, `whole`.
    """

    id: str
    kind: Literal["video", "audio"]
    bandwidth: int
    height: int
    is_main: bool
    timescale: int
    offset: int  # ticks at which the period begins in the media's own time
    first_number: int
    initial: Part | None
    template: Template | None = None
    parts: tuple[Part, ...] | None = None
    runs: tuple[Run, ...] | None = None
    ticks: int = 0
    whole: Part | None = None
    early: float = 0.0  # seconds by which segments are there before they are complete


@dataclass(frozen=True)
class Period:
    """A stretch of the presentation; `ends` is None where that is not known yet."""

    id: str
    begins: float
    ends: float | None
    representations: tuple[Representation, ...]


@dataclass(frozen=True)
class Presentation:
    """What a manifest says.

    `update_every` is None where it will not change; `window` None where nothing is taken away.
    """

    is_live: bool
    starts_at: float | None
    update_every: float | None
    window: float | None
    periods: tuple[Period, ...]
    location: str | None = None
    timings: tuple[tuple[str, str], ...] = ()  # schemes and values, to set a clock by


@dataclass(frozen=True)
class Wanted:
    """What one track is to be made of; `format_id` is yt-dlp's name of it."""

    kind: Literal["video", "audio", "any"]
    format_id: str | None = None
    height: int | None = None


def chosen(period: Period, wanted: Wanted) -> Representation | None:
    """Return the representation of a period that fits best; None where none does."""
    offered = period.representations
    fitting = [one for one in offered if wanted.kind in {one.kind, "any"}]
    named = [one for one in fitting if _is_named(one.id, wanted.format_id)]
    if named:
        return max(named, key=lambda one: len(one.id))
    if wanted.kind == "any":
        # Pictures before sound alone.
        fitting = [one for one in offered if one.kind == "video"] or list(offered)
    if not fitting:
        return None
    limit = wanted.height
    low_enough = [one for one in fitting if not limit or one.height <= limit]
    if not low_enough:
        return min(fitting, key=lambda one: (one.height, -one.bandwidth))
    return max(low_enough, key=lambda one: (one.height, one.is_main, one.bandwidth))


def _is_named(identity: str, format_id: str | None) -> bool:
    # yt-dlp puts a name of the manifest before the identity.
    return format_id is not None and (format_id == identity or format_id.endswith(f"-{identity}"))
