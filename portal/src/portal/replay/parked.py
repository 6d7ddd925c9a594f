"""Parked jobs: their history cannot be folded, because of one event or of the code.

`retry` folds them again (after a change of code), `skip` passes the event over for good.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from chronicle_contracts import MalformedEvent, decode
from django.db import transaction
from django.utils import timezone

from portal.eventlog import history
from portal.eventlog.entry import Entry
from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent, ParkedJob, SkippedEvent
from portal.jobs.order import canonical
from portal.jobs.projection import fold, newest_progress
from portal.jobs.readmodel import refold, sentence
from portal.jobs.state import JobState
from portal.replay import builds
from portal.replay.errors import BadParameters, NotThere
from portal.replay.records import Call, Report, Run, running


@dataclass(frozen=True)
class Poison:
    """The first event that a fold cannot take."""

    position: int
    type: str
    error: str


def find_poison(job_id: str) -> Poison | None:
    """Return the event at which the fold of a job fails, or None where it does not."""
    marks = history.skipped([job_id]).get(job_id, ())
    without = [mark.position for mark in marks]
    rows = history.of_jobs([job_id], without=without).get(job_id, [])
    entries = []
    for position, envelope in sorted(rows):
        try:
            entries.append(Entry(decode(envelope), position))
        except MalformedEvent as error:
            return _poison(position, error)
    state: JobState | None = None
    for entry in canonical(newest_progress(entries)):
        try:
            state = fold(state, entry.event, position=entry.position)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what parks the job)
            return _poison(entry.position, error)
    return None


def list_parked(call: Call) -> Report:
    """List the parked jobs, each with the event that is to blame; each counts as left."""
    report = Report("parked", call.dry_run)
    for parked in ParkedJob.objects.order_by("parked_at", "job_id"):
        report.items.append(describe(parked))
        report.counts["parked"] += 1
        report.left += 1
    return report


def describe(parked: ParkedJob) -> dict[str, object]:
    """Return a parked job as it is shown, with its poison where it can be told."""
    poison = find_poison(parked.job_id)
    return {
        "job": parked.job_id,
        "parked_at": parked.parked_at.isoformat(timespec="seconds"),
        "position": poison.position if poison else None,
        "type": poison.type if poison else None,
        "error": poison.error if poison else parked.error,
    }


def retry_parked(call: Call, *, jobs: Collection[str] = ()) -> Report:
    """Fold parked jobs again, or some of them; those that still cannot be are left.

    Raises `NotThere` where one is not parked.
    """
    chosen = [_parked(job_id).job_id for job_id in jobs] or list(
        ParkedJob.objects.order_by("job_id").values_list("job_id", flat=True)
    )
    with running(call, "parked", {"retry": sorted(jobs) or "all"}) as run:
        for number, job_id in enumerate(chosen, start=1):
            if not call.dry_run:
                _refold(job_id, "retried")
            _tell(run, job_id, "folds again", {})
            run.step(number, len(chosen))
    return run.report


def skip_event(call: Call, job_id: str, *, reason: str, position: int | None = None) -> Report:
    """Pass over the event that keeps a job from being folded, from now on, in every fold.

    The log keeps it, and the timeline says that it was passed over. Raises `NotThere` where the
    job is not parked or the position is none of its events, `BadParameters` without a reason.
    """
    if not reason.strip():
        raise BadParameters("say why the event may be passed over", field="reason")
    _parked(job_id)
    if position is None:
        poison = find_poison(job_id)
        if poison is None:
            raise NotThere(f"job {job_id!r} folds by now; run `parked retry {job_id}`")
        position = poison.position
    event = LoggedEvent.objects.filter(job_id=job_id, position=position).first()
    if event is None:
        raise NotThere(f"position {position} is no event of job {job_id!r}")
    with running(call, "parked", {"skip": job_id, "position": position, "reason": reason}) as run:
        skipped = {"position": position, "type": event.type}
        run.count("skipped")
        if call.dry_run:
            run.note(job=job_id, **skipped, became="would be passed over")
            return run.report
        with transaction.atomic():
            lock_log()
            SkippedEvent.objects.get_or_create(
                position=position,
                defaults={
                    "job_id": job_id,
                    "type": event.type,
                    "occurred_at": event.occurred_at,
                    "reason": reason,
                    "skipped_by": call.by,
                    "skipped_at": timezone.now(),
                },
            )
            _refold(job_id, "an event was skipped")
        _tell(run, job_id, "passed over; the job folds", skipped)
    return run.report


def _tell(run: Run, job_id: str, success: str, about: dict[str, object]) -> None:
    poison = find_poison(job_id)
    if poison is None:
        run.note(job=job_id, **about, became=success)
        run.count("folded")
    else:
        run.note(job=job_id, **about, became=f"still at {poison.position}: {poison.error}")
        run.count("still parked")
        run.leave()


def _refold(job_id: str, why: str) -> None:
    with transaction.atomic():
        lock_log()
        refold([job_id])
        builds.fold_again(job_id, why)


def _parked(job_id: str) -> ParkedJob:
    parked = ParkedJob.objects.filter(job_id=job_id).first()
    if parked is None:
        raise NotThere(f"job {job_id!r} is not parked; `parked list` shows those that are")
    return parked


def _poison(position: int, error: Exception) -> Poison:
    type_ = LoggedEvent.objects.values_list("type", flat=True).get(position=position)
    return Poison(position, type_, sentence(error))
