"""The read model: states of jobs as rows, written in bulk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import structlog
from django.utils import timezone

from portal.eventlog import history
from portal.eventlog.models import LoggedEvent, ParkedJob
from portal.jobs.models import Job
from portal.jobs.projection import fold_history
from portal.jobs.state import JobState

log = structlog.get_logger(__name__)

_PARTS = frozenset({"progress", "media", "recording", "torrent", "error", "gaps", "timeline"})
_COLUMNS = [name for name in JobState.model_fields if name != "id"]

# Jobs folded at once: their histories are in memory together.
CHUNK = 500


def row_of(state: JobState, table: type[Job] = Job) -> Job:
    """Return the row of a state, not saved; `table` may be one that is being rebuilt."""
    parts = state.model_dump(mode="json", include=set(_PARTS))
    values: dict[str, Any] = {
        name: parts[name] if name in _PARTS else getattr(state, name)
        for name in JobState.model_fields
    }
    return table(**{name: _without_nul(value) for name, value in values.items()})


def state_of(row: Job) -> JobState:
    """Return the state that a row was written from."""
    return JobState.model_validate({name: getattr(row, name) for name in JobState.model_fields})


def refold(jobs: Collection[str]) -> int:
    """Fold the histories of these jobs anew and write their rows; return how many were written.

    A job whose history cannot be folded is parked: its row stays as it is, an entry in
    `ParkedJob` says why, and the others go on. Call it in the transaction that changed the log.
    """
    rows: list[Job] = []
    parked: list[ParkedJob] = []
    for job_id, state in fold_jobs(jobs):
        if isinstance(state, JobState):
            rows.append(row_of(state))
        else:
            log.error("job_parked", job_id=job_id, exc_info=state)
            parked.append(ParkedJob(job_id=job_id, error=sentence(state), parked_at=timezone.now()))
    write(rows)
    ParkedJob.objects.filter(job_id__in=[row.id for row in rows]).delete()
    ParkedJob.objects.bulk_create(
        parked,
        update_conflicts=True,
        unique_fields=["job_id"],
        update_fields=["error", "parked_at"],
    )
    return len(rows)


def fold_jobs(jobs: Collection[str]) -> Iterator[tuple[str, JobState | Exception]]:
    """Yield the state of each job that the log knows, or what kept it from being folded."""
    marks = history.skipped(jobs)
    without = [mark.position for skipped in marks.values() for mark in skipped]
    histories = history.of_jobs(jobs, without=without)
    for job_id in histories | marks:
        try:
            state = fold_history(history.read(histories.get(job_id, ())), marks.get(job_id, ()))
        except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this job only)
            yield job_id, error
        else:
            assert state is not None  # the log knows at least one event of it
            yield job_id, state


def write(rows: Iterable[Job], table: type[Job] = Job) -> None:
    """Insert the rows or replace those that are there."""
    table.objects.bulk_create(
        rows,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_COLUMNS,
    )


def known_jobs(*, after: str = "") -> Iterator[list[str]]:
    """Yield the ids of all jobs in the log, `CHUNK` at a time, in order; those `after` an id."""
    last = after
    while chunk := list(
        LoggedEvent.objects.filter(job_id__gt=last)
        .order_by("job_id")
        .values_list("job_id", flat=True)
        .distinct()[:CHUNK]
    ):
        yield chunk
        last = chunk[-1]


def sentence(error: Exception) -> str:
    """Return an error in one line that every database can keep."""
    return f"{type(error).__name__}: {error}".replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _without_nul(value: Any) -> Any:
    """Replace NUL characters, which PostgreSQL keeps in no text, wherever they are."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value
