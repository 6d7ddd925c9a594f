"""Comparing the read model with what the log says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db import transaction

from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent
from portal.jobs.models import Job
from portal.jobs.readmodel import fold_jobs, known_jobs, row_of
from portal.jobs.state import JobState


@dataclass(frozen=True)
class Difference:
    """A job whose row is not what its history folds to; `what` says in which fields."""

    job_id: str
    what: str


@dataclass
class Counts:
    """How far a comparison has come."""

    jobs: int = 0
    differing: int = 0


def differences(counts: Counts) -> Iterator[Difference]:
    """Fold every job anew and yield where the read model says something else."""
    for chunk in known_jobs():
        with transaction.atomic():
            lock_log()
            found = list(_compared(chunk))
        counts.jobs += len(chunk)
        counts.differing += len(found)
        yield from found
    for job_id in _without_history():
        counts.differing += 1
        yield Difference(job_id, "has a row but no history")


def differing_fields(one: Job, other: Job) -> list[str]:
    """Return the columns in which two rows of a job differ."""
    return [name for name in JobState.model_fields if getattr(one, name) != getattr(other, name)]


def _compared(jobs: Collection[str]) -> Iterator[Difference]:
    rows = Job.objects.in_bulk(list(jobs))
    for job_id, state in fold_jobs(jobs):
        if not isinstance(state, JobState):
            yield Difference(job_id, f"cannot be folded: {state}")
        elif job_id not in rows:
            yield Difference(job_id, "has a history but no row")
        elif fields := differing_fields(rows[job_id], row_of(state)):
            yield Difference(job_id, f"differs in {', '.join(fields)}")


def _without_history() -> list[str]:
    heard = LoggedEvent.objects.order_by().values("job_id")
    return list(Job.objects.exclude(id__in=heard).order_by("id").values_list("id", flat=True))
