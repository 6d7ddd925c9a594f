"""Which segments of a DASH presentation can be had now."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from recorder.adapters.fetching.dash.manifest import filled
from recorder.adapters.fetching.dash.model import (
    Part,
    Period,
    Presentation,
    Representation,
    Run,
    Wanted,
    chosen,
)

# What the clock of the source may be behind ours; its segments are asked for so much later.
_SLACK = 0.05  # seconds
MOST_SEGMENTS = 100_000  # that are gone through for the newest; a day of one second each


@dataclass(frozen=True)
class DashSegment:
    """A segment and its place; `begins` and `available_at` are Unix times (of a film: from 0).

    `shift` is what must be added to the media's own times to get the presentation's.
    `is_promised`: no list names it, it should be there by the clock. `is_whole`: it is all of a
    file, of unknown length.
    """

    part: Part
    initial: Part | None
    number: int
    begins: float
    seconds: float
    shift: float
    period: Period
    available_at: float
    is_promised: bool = False
    is_whole: bool = False

    @property
    def ends(self) -> float:
        """Where the next one begins."""
        return self.begins + self.seconds


def available(
    presentation: Presentation, wanted: Wanted, starts_at: float, *, after: float, now: float
) -> Iterator[DashSegment]:
    """Yield the segments that are there at `now`, those that lie behind `after`, in order.

    A segment lies behind a moment when more than half of it does: sums of rounded lengths
    differ a little from what is told.
    """
    oldest = after
    if presentation.is_live and presentation.window is not None:
        oldest = max(after, now - presentation.window)
    for period in presentation.periods:
        one = chosen(period, wanted)
        if one is None or (period.ends is not None and starts_at + period.ends <= after):
            continue
        for segment in _of_period(presentation, period, one, starts_at, oldest, now):
            if segment.begins + segment.seconds / 2 > after:
                yield segment


def newest_end(
    presentation: Presentation, wanted: Wanted, starts_at: float, now: float
) -> float | None:
    """Return where the newest segment that is there ends; None where there is none."""
    for back in (30.0, 3600.0, 24 * 3600.0) if presentation.is_live else (now + 1,):
        there = available(presentation, wanted, starts_at, after=now - back, now=now)
        if last := collections.deque(itertools.islice(there, MOST_SEGMENTS), 1):
            return last.pop().ends
    return None


def _of_period(  # noqa: PLR0917 - what a segment's place depends on
    presentation: Presentation,
    period: Period,
    one: Representation,
    starts_at: float,
    oldest: float,
    now: float,
) -> Iterator[DashSegment]:
    shift = period.begins - one.offset / one.timescale
    is_promised = one.runs is None and one.parts is None
    for number, ticks, length, part, is_whole in _places(
        presentation, period, one, starts_at, oldest, now
    ):
        begins = starts_at + shift + ticks / one.timescale
        seconds = length / one.timescale
        if period.ends is not None and begins >= starts_at + period.ends:
            return
        available_at = begins + seconds - one.early + _SLACK
        if presentation.is_live and is_promised and available_at > now:
            return
        yield DashSegment(
            part=part,
            initial=one.initial,
            number=number,
            begins=begins,
            seconds=seconds,
            shift=shift,
            period=period,
            available_at=available_at,
            is_promised=is_promised,
            is_whole=is_whole,
        )


def _places(  # noqa: PLR0917
    presentation: Presentation,
    period: Period,
    one: Representation,
    starts_at: float,
    oldest: float,
    now: float,
) -> Iterator[tuple[int, int, int, Part, bool]]:
    """Yield number, begin and length in ticks, and address."""
    if one.whole is not None:
        seconds = (period.ends or period.begins) - period.begins
        yield 0, one.offset, round(seconds * one.timescale), one.whole, True
        return
    if one.runs is not None:
        until = (now - starts_at - period.begins) * one.timescale + one.offset
        low = (oldest - starts_at - period.begins) * one.timescale + one.offset
        timed = _timed(one.runs, low, until)
    else:
        low = (oldest - starts_at - period.begins) * one.timescale
        timed = _even(presentation, period, one, low)
    for index, ticks, length in timed:
        if one.template is not None:
            part = _made(one, one.first_number + index, ticks)
        elif one.parts is not None and index < len(one.parts):
            part = one.parts[index]
        else:
            return
        yield one.first_number + index, ticks, length, part, False


def _timed(runs: tuple[Run, ...], low: float, until: float) -> Iterator[tuple[int, int, int]]:
    before = 0  # segments of the runs that are over
    for run in runs:
        # Millions may be told in one line: those that are too old are not gone through.
        first = max(0, int((low - run.begins) // run.ticks) - 1) if low > run.begins else 0
        count = run.count
        if count is None:
            count = max(0, int((until - run.begins) // run.ticks))
        for index in range(first, count):
            yield before + index, run.begins + index * run.ticks, run.ticks
        before += count


def _even(
    presentation: Presentation, period: Period, one: Representation, low: float
) -> Iterator[tuple[int, int, int]]:
    if one.parts is not None:
        # A list that rolls on tells by its first number how much has left it.
        gone = max(0, one.first_number - 1) if presentation.is_live else 0
        length = one.ticks or round(((period.ends or 0) - period.begins) * one.timescale)
        for index in range(len(one.parts)):
            yield index, one.offset + (gone + index) * length, length
        return
    for index in itertools.count(max(0, int(low // one.ticks) - 1) if low > 0 else 0):
        yield index, one.offset + index * one.ticks, one.ticks


def _made(one: Representation, number: int, ticks: int) -> Part:
    assert one.template is not None
    values: dict[str, str | int] = {**dict(one.template.values), "Number": number, "Time": ticks}
    return Part(urljoin(one.template.base, filled(one.template.media, values)))
