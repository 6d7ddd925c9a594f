"""Histories: the events of jobs, read from the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts import decode
from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from portal.eventlog.entry import Entry, Skipped
from portal.eventlog.models import LoggedEvent, SkippedEvent, StreamCursor
from portal.eventlog.progress import PROGRESS_TYPES

Logged = tuple[int, str]
"""Position and envelope."""


def entry(position: int, envelope: str) -> Entry:
    """Decode an entry of the log, in the newest version of its type; raises `MalformedEvent`."""
    return Entry(decode(envelope), position)


def read(logged: Collection[Logged]) -> list[Entry]:
    """Decode entries of the log; raises `MalformedEvent` where one cannot be read any more."""
    return [entry(position, envelope) for position, envelope in logged]


def of_job(
    job_id: str, *, until_position: int | None = None, until: datetime | None = None
) -> list[Entry]:
    """Return all that was heard of a job, up to a position or a time of occurrence.

    Events that are passed over (`skipped`) are not among them.
    """
    rows = LoggedEvent.objects.filter(job_id=job_id).exclude(
        position__in=SkippedEvent.objects.filter(job_id=job_id).values("position")
    )
    if until_position is not None:
        rows = rows.filter(position__lte=until_position)
    if until is not None:
        rows = rows.filter(occurred_at__lte=until)
    return read(rows.order_by("position").values_list("position", "envelope"))


def jobs_after(job_id: str, *, limit: int) -> list[str]:
    """Return the first jobs after an id, in order.

    From job to job by the index: as fast at the end of a long log as at its beginning.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_JOBS, [job_id, limit])
        return [found for (found,) in cursor.fetchall()]


_NEXT_JOBS = """
    WITH RECURSIVE found(job_id) AS (
        SELECT min(job_id) FROM eventlog_loggedevent WHERE job_id > %s
        UNION ALL
        SELECT (SELECT min(job_id) FROM eventlog_loggedevent WHERE job_id > found.job_id)
        FROM found WHERE found.job_id IS NOT NULL
    )
    SELECT job_id FROM found WHERE job_id IS NOT NULL LIMIT %s
"""


def skipped(jobs: Collection[str]) -> dict[str, list[Skipped]]:
    """Return the events of these jobs that folds pass over, in the order of the log."""
    marks: dict[str, list[Skipped]] = defaultdict(list)
    for row in SkippedEvent.objects.filter(job_id__in=jobs).order_by("position"):
        marks[row.job_id].append(
            Skipped(
                *(row.job_id, row.position, row.type, row.occurred_at, row.reason),
                projections=tuple(row.projections),
            )
        )
    return marks


def of_jobs(
    jobs: Collection[str], *, without: Collection[int] = (), then: Q | None = None
) -> dict[str, list[Logged]]:
    """Return what was heard of each job, not decoded; of progress, the newest of each stream.

    However long the recording, that is a few dozen rows a job. Positions in `without` are
    passed over; `then` leaves out what was not known, or had not happened, at some moment.
    """
    histories: dict[str, list[Logged]] = defaultdict(list)
    milestones = _known(LoggedEvent.objects.filter(job_id__in=jobs, progress=False), without, then)
    newest = LoggedEvent.objects.filter(position__in=_newest_progress(jobs, without, then))
    for rows in (milestones, newest):
        for job_id, position, envelope in rows.order_by().values_list(
            "job_id", "position", "envelope"
        ):
            histories[job_id].append((position, envelope))
    return histories


@dataclass(frozen=True)
class Stretch:
    """A milestone, or progress that followed progress of its stream, with the newest of it."""

    position: int
    envelope: str
    first_position: int
    events: int


def with_stretches(job_id: str, *, without: Collection[int] = ()) -> list[Stretch]:
    """Return what was heard of a job, progress as stretches; only what they show is read whole."""
    rows = _known(LoggedEvent.objects.filter(job_id=job_id), without, None)
    found: list[tuple[int, int, int]] = []
    run: list[int] = []
    last: tuple[str, str] | None = None
    for stream, type_, position, progress in rows.order_by("stream", "sequence").values_list(
        "stream", "type", "position", "progress"
    ):
        place = (stream, type_) if progress else None
        if run and place != last:
            found.append((run[-1], run[0], len(run)))
            run = []
        if progress:
            run.append(position)
        else:
            found.append((position, position, 1))
        last = place
    if run:
        found.append((run[-1], run[0], len(run)))
    shown = LoggedEvent.objects.filter(position__in=[one[0] for one in found])
    envelopes = dict(shown.values_list("position", "envelope"))
    return [
        Stretch(position, envelopes[position], first, events) for position, first, events in found
    ]


def _known(
    rows: QuerySet[LoggedEvent], without: Collection[int], then: Q | None
) -> QuerySet[LoggedEvent]:
    if without:
        rows = rows.exclude(position__in=without)
    return rows if then is None else rows.filter(then)


def _newest_progress(jobs: Collection[str], without: Collection[int], then: Q | None) -> list[int]:
    positions: list[int] = []
    for type_ in sorted(PROGRESS_TYPES):
        of_stream = LoggedEvent.objects.filter(stream=OuterRef("stream"), type=type_)
        newest = _known(of_stream, without, then).order_by("-sequence")
        positions += (
            StreamCursor.objects.filter(job_id__in=jobs)
            .annotate(newest=Subquery(newest.values("position")[:1]))
            .exclude(newest=None)
            .values_list("newest", flat=True)
        )
    return positions
