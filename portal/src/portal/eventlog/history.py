"""Histories: the events of jobs, read from the log."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import reduce

from chronicle_contracts import decode
from django.db.models import Max, Q

from portal.eventlog.entry import Entry
from portal.eventlog.models import LoggedEvent

Logged = tuple[int, str]
"""Position and envelope."""

# SQLite refuses an expression of more than 1,000 levels, and each OR is one.
_ALTERNATIVES = 100


def read(logged: Collection[Logged]) -> list[Entry]:
    """Decode log entries; raises `MalformedEvent` where one cannot be read any more."""
    return [Entry(decode(envelope), position) for position, envelope in logged]


def of_job(
    job_id: str, *, until_position: int | None = None, until: datetime | None = None
) -> list[Entry]:
    """Return all that was heard of a job, up to a position or a time of occurrence."""
    rows = LoggedEvent.objects.filter(job_id=job_id)
    if until_position is not None:
        rows = rows.filter(position__lte=until_position)
    if until is not None:
        rows = rows.filter(occurred_at__lte=until)
    return read(rows.order_by("position").values_list("position", "envelope"))


def of_jobs(jobs: Collection[str], *, newest_only: Collection[str]) -> dict[str, list[Logged]]:
    """Return what was heard of each job, not decoded.

    Of the types in `newest_only`, only the event with the highest sequence of each stream is
    read: a long recording has thousands of heartbeats, and one matters.
    """
    histories: dict[str, list[Logged]] = defaultdict(list)
    rows = LoggedEvent.objects.filter(job_id__in=jobs).order_by()
    for job_id, position, envelope in (
        rows.exclude(type__in=newest_only).values_list("job_id", "position", "envelope").iterator()
    ):
        histories[job_id].append((position, envelope))
    newest = (
        rows.filter(type__in=newest_only)
        .values_list("stream", "type")
        .annotate(last=Max("sequence"))
        .values_list("stream", "last")
    )
    for places in _chunks(list(newest)):
        at_places = reduce(
            operator.or_, (Q(stream=stream, sequence=sequence) for stream, sequence in places)
        )
        for job_id, position, envelope in LoggedEvent.objects.filter(at_places).values_list(
            "job_id", "position", "envelope"
        ):
            histories[job_id].append((position, envelope))
    return histories


def _chunks(places: list[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    for start in range(0, len(places), _ALTERNATIVES):
        yield places[start : start + _ALTERNATIVES]
