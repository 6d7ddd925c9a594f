"""What an HLS playlist says of its programme: when its segments were made, and date ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chronicle_sources.plain_text import plain

from recorder.domain.segment import DateRange

MOST_RANGES = 1000  # of one playlist; a day with an advertisement every two minutes has 720
MOST_ATTRIBUTES = 30
LONGEST_ATTRIBUTE = 4096  # characters; a SCTE-35 command takes some hundred


def with_dates(segments: list[Any]) -> None:
    """Tell each segment when it was made, counted on from the last date that is given.

    RFC 8216, 4.3.2.6; over a discontinuity nothing is counted on.
    """
    date: datetime | None = None
    for segment in segments:
        if segment.date is not None:
            date = _aware(segment.date)
        elif segment.discontinuity:
            date = None
        segment.date = date
        date = _after(date, segment.duration)


def date_ranges(playlist: Any) -> Iterator[DateRange]:
    """Yield what a playlist says of stretches of its programme."""
    for one in playlist.dateranges[:MOST_RANGES]:
        if not one.id or one.start_date is None:
            continue  # both are required
        others = list(one.x.items())[:MOST_ATTRIBUTES]
        yield DateRange(
            id=plain(one.id, LONGEST_ATTRIBUTE),
            start=_aware(one.start_date),
            end=None if one.end_date is None else _aware(one.end_date),
            seconds=_seconds(one.duration),
            planned_seconds=_seconds(one.planned_duration),
            kind=None if one.classname is None else plain(one.classname, LONGEST_ATTRIBUTE),
            attributes={
                plain(name, LONGEST_ATTRIBUTE): plain(value, LONGEST_ATTRIBUTE)
                for name, value in others
            },
        )


def _aware(date: datetime) -> datetime:
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)


def _after(date: datetime | None, seconds: float) -> datetime | None:
    try:
        return None if date is None else date + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None  # a segment of a million years


def _seconds(duration: timedelta | None) -> float | None:
    seconds = None if duration is None else duration.total_seconds()
    return seconds if seconds is not None and math.isfinite(seconds) else None
