"""Commands: what people can ask of a job.

Each runs in one transaction: lock, read, decide, append to the aggregate (and so to the
outbox), put the event into the log, refold. A client reads what it wrote, and the relay says
it to the others. Refusals: `portal.jobs.errors`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chronicle_contracts import JobStatus, naming
from chronicle_sources import Credentials
from django.db import transaction
from django.utils import timezone

from portal.configuration import portal_settings
from portal.eventlog.inbox import Inbox
from portal.eventlog.locking import lock_log
from portal.eventlog.store import portal_store
from portal.jobs import requests
from portal.jobs.aggregate import RequestedJob
from portal.jobs.credentials import put_away, renew
from portal.jobs.errors import JobExists, JobNotFound, WrongStatus
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.requests import JobRequest

Clock = Callable[[], datetime]

STOPPABLE = frozenset(
    {JobStatus.PENDING, JobStatus.SCHEDULED, JobStatus.STARTED, JobStatus.RECORDING}
)
EXTENDABLE = STOPPABLE
RETRYABLE = frozenset({JobStatus.REJECTED, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class Requested:
    """The job of a request; `created` is False where the same request was made before."""

    job: Job
    created: bool


def request_job(request: JobRequest, *, now: Clock = timezone.now) -> Requested:
    """Make a job of a request, or return the one that was made of the same request before.

    Its credentials go into the vault, and the event names them. Raises `BadRequest`,
    `VaultAway`, and `JobExists` where the id belongs to another request.
    """
    requests.check(request, allow_private=portal_settings().allow_private_addresses)
    at = now()
    job_id = request.job_id()
    with put_away(job_id, request.credentials) as kept, transaction.atomic():
        lock_log()
        known = portal_store().find(RequestedJob, naming.portal_stream(job_id))
        fact = request.as_fact(job_id, at=at, credentials=kept.name)
        if known is not None and known.request is not None:
            differing = _differing(known.request.model_dump(), fact.model_dump())
            if differing:
                raise JobExists(job_id, differing)
            return Requested(_read(job_id), created=False)
        job = known or RequestedJob.blank(job_id, at)
        job.ask_to_record(fact, at=at)
        kept.is_named = True
        return Requested(_saved(job), created=True)


def stop_job(
    job_id: str,
    *,
    mode: Literal["keep", "discard"] = "keep",
    by: str | None = None,
    now: Clock = timezone.now,
) -> Job:
    """Ask to stop a job; asked again with the same mode, it changes nothing.

    A job that is being stopped and kept may still be discarded, not the other way round.
    Raises `JobNotFound`, `WrongStatus`.
    """
    with transaction.atomic():
        lock_log()
        row = _read(job_id)
        if row.status == JobStatus.STOPPING and mode in {row.stop_mode, "keep"}:
            if mode != row.stop_mode:
                raise WrongStatus(
                    "keep", job_id, "being discarded", "Request it again to record anew."
                )
            return row
        if row.status not in STOPPABLE | {JobStatus.STOPPING}:
            raise WrongStatus("stop", job_id, row.status, "Only what has not ended can be stopped.")
        job = _aggregate(job_id)
        job.ask_to_stop(mode, by=by, at=now())
        return _saved(job)


def extend_job(
    job_id: str,
    max_duration: float | None,
    *,
    by: str | None = None,
    now: Clock = timezone.now,
) -> Job:
    """Set the longest duration of a job anew, in media seconds in total; None takes it away.

    Raises `BadRequest`, `JobNotFound`, `WrongStatus`.
    """
    if max_duration is not None:
        requests.check_duration(max_duration)
    with transaction.atomic():
        lock_log()
        row = _read(job_id)
        if row.status not in EXTENDABLE:
            raise WrongStatus(
                "extend", job_id, row.status, "Only what still records, or waits to, can be."
            )
        job = _aggregate(job_id)
        job.extend(max_duration, by=by, at=now())
        return _saved(job)


def retry_job(
    job_id: str,
    *,
    credentials: Credentials | None = None,
    by: str | None = None,
    now: Clock = timezone.now,
) -> Job:
    """Ask to try a job again that ended without a recording.

    With `credentials`, these are in place of those that it was requested with. Raises
    `BadRequest`, `JobNotFound`, `VaultAway`, `WrongStatus`.
    """
    with transaction.atomic():
        lock_log()
        row = _read(job_id)
        if row.status not in RETRYABLE or row.recording is not None:
            raise WrongStatus(
                "retry", job_id, row.status, "Only what ended without a recording can be."
            )
        job = _aggregate(job_id)
        if credentials is not None:
            renew(job.request.credentials if job.request else None, credentials)
        job.ask_to_retry(by=by, at=now())
        return _saved(job)


def note_deletion(
    job_id: str, *, reason: str, by: str | None = None, now: Clock = timezone.now
) -> Job:
    """Say that a job's recording was removed from the store; said again, it changes nothing.

    Raises `JobNotFound`, `WrongStatus`.
    """
    with transaction.atomic():
        lock_log()
        row = _read(job_id)
        if row.recording is None:
            raise WrongStatus("delete the recording of", job_id, row.status, "It has none.")
        if row.recording["deleted_at"] is not None:
            return row
        job = _aggregate(job_id)
        job.note_deletion(row.recording["key"], reason, by=by, at=now())
        return _saved(job)


def _aggregate(job_id: str) -> RequestedJob:
    """Return the aggregate; raises `JobNotFound` for a job that was not requested here."""
    found = portal_store().find(RequestedJob, naming.portal_stream(job_id))
    if found is None:
        raise JobNotFound(job_id)
    return found


def _saved(job: RequestedJob) -> Job:
    events = portal_store().append(job)
    Inbox(refold).record(events)
    return _read(job.job_id)


def _read(job_id: str) -> Job:
    try:
        return Job.objects.get(id=job_id)
    except Job.DoesNotExist:
        raise JobNotFound(job_id) from None


# Who asked and where it is stored is not what was asked for: the key has the day in it.
_CONTENT = (
    "url",
    "filename",
    "quality",
    "live_from_start",
    "max_duration",
    "start_at",
    "audio_only",
    "max_height",
)


def _differing(before: dict[str, object], now: dict[str, object]) -> str:
    differing = [name for name in _CONTENT if before[name] != now[name]]
    # Their names are random, and what is in them is nobody's to compare.
    if (before["credentials"] is None) != (now["credentials"] is None):
        differing.append("credentials")
    return " and ".join(differing)
