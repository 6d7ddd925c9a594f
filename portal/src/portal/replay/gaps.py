"""Gaps: what streams lack, by their cursors.

- `hole`: an event below the newest one of a stream is missing;
- `tail`: a recorder's stream has no seal, and its job is over or silent;
- `unheard`: a recorder was launched for a job that is over or silent, and said nothing;
- `own`: the portal's event store has what its log has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chronicle_contracts import JobStatus, naming
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal.eventlog.models import LoggedEvent, StoredEvent, StreamCursor
from portal.jobs.models import Job

# A recorder says something every five seconds while it lives.
SILENCE = timedelta(minutes=15)
# Last words are under way for a moment after a job is over.
GRACE = timedelta(minutes=1)

KINDS = ("hole", "tail", "unheard", "own")
RECORDERS = naming.recorder_stream("")
_FINAL = [status.value for status in JobStatus if status.is_final]

Range = tuple[int, int | None]
"""First and last sequence that is missing; None: nobody knows how many."""


@dataclass(frozen=True)
class Gap:
    """What a stream lacks."""

    kind: str
    stream: str
    job_id: str
    missing: tuple[Range, ...]

    @property
    def is_ours(self) -> bool:
        """Whether the portal itself speaks in this stream, and so can say it again."""
        return self.stream == naming.portal_stream(self.job_id)

    @property
    def source(self) -> str:
        """Where the events may still be: the portal's `store`, the recorder's `journal`."""
        if self.is_ours:
            return "store"
        return "journal" if self.stream.startswith(RECORDERS) else "its publisher"

    @property
    def shown(self) -> str:
        """The missing sequences in words: `3-5, 9, 12...`."""
        return ", ".join(
            f"{first}..." if last is None else str(first) if first == last else f"{first}-{last}"
            for first, last in self.missing
        )

    def as_item(self) -> dict[str, str]:
        """Return it as a line of a report."""
        return {
            "kind": self.kind,
            "stream": self.stream,
            "job": self.job_id,
            "missing": self.shown,
            "source": self.source,
        }


def find(*, jobs: Iterable[str] = (), now: datetime | None = None) -> list[Gap]:
    """Return all gaps, or those of some jobs."""
    now = now or timezone.now()
    chosen = list(jobs)
    found = [*_holes(chosen), *_tails(chosen, now), *_unheard(chosen, now), *own_events(chosen)]
    return sorted(found, key=lambda gap: (gap.job_id, gap.stream, gap.kind))


def with_lost_tail(now: datetime) -> QuerySet[StreamCursor]:
    """Return the streams that should have ended with a seal and have none."""
    return StreamCursor.objects.filter(
        stream__startswith=RECORDERS,
        sealed_at_sequence=None,
        ended_at_sequence=None,
        job_id__in=_over_or_silent(now).values("id"),
    )


def _over_or_silent(now: datetime) -> QuerySet[Job]:
    is_over = Q(status__in=_FINAL, updated_at__lt=now - GRACE)
    return Job.objects.filter(is_over | Q(updated_at__lt=now - SILENCE)).order_by()


def _holes(jobs: list[str]) -> Iterator[Gap]:
    cursors = StreamCursor.objects.filter(contiguous__lt=F("highest"))
    for cursor in _of(cursors, jobs):
        present = LoggedEvent.objects.filter(
            stream=cursor.stream, sequence__gt=cursor.contiguous
        ).order_by("sequence")
        missing = _between(cursor.contiguous, present.values_list("sequence", flat=True))
        yield Gap("hole", cursor.stream, cursor.job_id, tuple(missing))


def _tails(jobs: list[str], now: datetime) -> Iterator[Gap]:
    for cursor in _of(with_lost_tail(now), jobs):
        yield Gap("tail", cursor.stream, cursor.job_id, ((cursor.highest + 1, None),))


def _unheard(jobs: list[str], now: datetime) -> Iterator[Gap]:
    heard = (
        StreamCursor.objects.filter(job_id=OuterRef("id"), stream__startswith=RECORDERS)
        .order_by()
        .values("job_id")
        .annotate(number=Count("stream"))
        .values("number")
    )
    quiet = _over_or_silent(now).annotate(heard=Coalesce(Subquery(heard), 0))
    quiet = quiet.filter(attempt__gt=F("heard"))
    if jobs:
        quiet = quiet.filter(id__in=jobs)
    for job_id, attempts in quiet.values_list("id", "attempt"):
        streams = {
            naming.recorder_stream(naming.run_id(job_id, number))
            for number in range(1, attempts + 1)
        }
        known = StreamCursor.objects.filter(stream__in=streams).values_list("stream", flat=True)
        for stream in sorted(streams - set(known)):
            yield Gap("unheard", stream, job_id, ((1, None),))


def own_events(jobs: list[str]) -> Iterator[Gap]:
    """Yield what the portal's store has and its log has not; no jobs named: of all."""
    cursor = StreamCursor.objects.filter(stream=OuterRef("originator_id"))
    stored = (
        StoredEvent.objects.order_by()
        .values("originator_id")
        .annotate(
            newest=Max("originator_version"),
            heard=Coalesce(Subquery(cursor.values("highest")[:1]), 0),
        )
        .filter(newest__gt=F("heard"))
    )
    if jobs:
        stored = stored.filter(originator_id__in=[naming.portal_stream(one) for one in jobs])
    for row in stored:
        stream: str = row["originator_id"]
        job_id = stream.partition("/")[2]
        yield Gap("own", stream, job_id, ((row["heard"] + 1, row["newest"]),))


def _of(cursors: QuerySet[StreamCursor], jobs: list[str]) -> QuerySet[StreamCursor]:
    return (cursors.filter(job_id__in=jobs) if jobs else cursors).order_by("stream")


def _between(contiguous: int, present: Iterable[int]) -> Iterator[Range]:
    expected = contiguous + 1
    for sequence in present:
        if sequence > expected:
            yield (expected, sequence - 1)
        expected = sequence + 1
