"""Parked jobs: a projection of them cannot be folded, because of one event or of the code.

`retry` folds them again (after a change of code), `skip` passes the event over for good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent, ParkedJob, SkippedEvent
from portal.jobs.readmodel import refold
from portal.projections.folding import EVERY, Failure, fold_jobs
from portal.projections.registry import PROJECTIONS
from portal.replay import builds
from portal.replay.choosing import chosen
from portal.replay.errors import BadParameters, NotThere
from portal.replay.records import Call, Item, Report, Run, running

ALL = "all"


@dataclass(frozen=True)
class Poison:
    """The first event that a projection cannot take; `EVERY` stands for all of them.

    `position` is None where no single event is to blame.
    """

    projection: str
    position: int | None
    type: str | None
    error: str


def find_poison(job_id: str, projection: str | None = None) -> Poison | None:
    """Return the first event at which a fold of a job fails, or None where none does.

    Of one projection, if it is named; what concerns all of them counts for each.
    """
    return next(iter(_poisons(job_id, projection)), None)


def _poisons(job_id: str, projection: str | None) -> list[Poison]:
    """Return where the folds of a job fail, the first event first, what is none at the end."""
    concerned = [one for one in PROJECTIONS if projection in {None, EVERY, one.name}]
    folded = next(fold_jobs([job_id], concerned), None)
    failures = folded.failures if folded else {}
    blamed = sorted((failure.position or float("inf"), name) for name, failure in failures.items())
    return [_poison(name, failures[name]) for _, name in blamed]


def list_parked(call: Call) -> Report:
    """List the parked projections of jobs, each with the event to blame; each counts as left."""
    report = Report("parked", call.dry_run, items=listed())
    if report.items:
        report.counts["parked"] = report.left = len(report.items)
    return report


def listed() -> list[Item]:
    """Return the parked projections of jobs, and what was to blame when each was last folded.

    Nothing is folded for that: there may be thousands.
    """
    blamed = ParkedJob.objects.exclude(position=None).values("position")
    events = LoggedEvent.objects.filter(position__in=blamed)
    types: dict[int | None, str] = dict(events.values_list("position", "type"))
    return [
        {
            "job": parked.job_id,
            "projection": parked.projection or ALL,
            "parked_at": parked.parked_at.isoformat(timespec="seconds"),
            "position": parked.position,
            "type": types.get(parked.position),
            "error": parked.error,
        }
        for parked in ParkedJob.objects.order_by("parked_at", "job_id", "projection")
    ]


def retry_parked(call: Call, *, jobs: Collection[str] = ()) -> Report:
    """Fold parked jobs again, or some of them; those that still cannot be are left.

    Raises `NotThere` where one is not parked.
    """
    these = [_parked(job_id).job_id for job_id in jobs] or list(
        ParkedJob.objects.order_by("job_id").values_list("job_id", flat=True).distinct()
    )
    with running(call, "parked", {"retry": sorted(jobs) or "all"}) as run:
        for number, job_id in enumerate(these, start=1):
            if not call.dry_run:
                _refold(job_id, "retried")
            _tell(run, job_id, "folds again", {})
            run.step(number, len(these))
    return run.report


def skip_event(
    call: Call,
    job_id: str,
    *,
    reason: str,
    position: int | None = None,
    projection: str | None = None,
) -> Report:
    """Pass over the event that keeps a job from being folded, from now on.

    In the folds of `projection` (`ALL` of them), by default of those that it parks: it is read
    where it does no harm. The log keeps it, and the timeline says that it was passed over.
    Raises `NotThere` where the job is not parked or the position is none of its events,
    `BadParameters` without a reason.
    """
    if not reason.strip():
        raise BadParameters("say why the event may be passed over", field="reason")
    if projection not in {None, ALL}:
        chosen([str(projection)])
    _parked(job_id)
    poisons = _poisons(job_id, None if projection == ALL else projection)
    if position is None:
        if not poisons:
            raise NotThere(f"job {job_id!r} folds by now; run `parked retry {job_id}`")
        position = poisons[0].position
        if position is None:
            raise NotThere(
                f"no single event parks job {job_id!r} ({poisons[0].error}); "
                "change the code, then run `parked retry`"
            )
    event = LoggedEvent.objects.filter(job_id=job_id, position=position).first()
    if event is None:
        raise NotThere(f"position {position} is no event of job {job_id!r}")
    names = [projection] if projection else _parked_by(position, poisons)
    if ALL in names:
        names = []
    parameters = {"skip": job_id, "position": position, "projections": names, "reason": reason}
    with running(call, "parked", parameters) as run:
        skipped = {
            "position": position,
            "type": event.type,
            "projections": ", ".join(names) or ALL,
        }
        run.count("skipped")
        if call.dry_run:
            run.note(job=job_id, **skipped, became="would be passed over")
            return run.report
        with transaction.atomic():
            lock_log()
            _mark(event, names, reason, by=call.by)
            _refold(job_id, "an event was skipped")
        _tell(run, job_id, "passed over; the job folds", skipped)
    return run.report


def _parked_by(position: int, poisons: Sequence[Poison]) -> list[str]:
    """Return the projections that an event parks; where it parks none, those that are parked."""
    blamed = [one for one in poisons if one.position == position] or poisons
    return [one.projection or ALL for one in blamed]


def _mark(event: LoggedEvent, projections: Sequence[str], reason: str, *, by: str) -> None:
    """Note that folds pass an event over, beside those that do so already."""
    mark = SkippedEvent.objects.filter(position=event.position).first()
    if mark is None:
        mark = SkippedEvent(
            position=event.position,
            job_id=event.job_id,
            type=event.type,
            occurred_at=event.occurred_at,
            reason=reason,
            projections=list(projections),
        )
    else:
        both = projections and mark.projections
        mark.projections = sorted({*projections, *mark.projections}) if both else []
        if reason not in mark.reason:
            mark.reason = f"{mark.reason}; {reason}"
    mark.skipped_by, mark.skipped_at = by, timezone.now()
    mark.save()


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


def _poison(projection: str, failure: Failure) -> Poison:
    if not failure.position:
        return Poison(projection, None, None, failure.error)
    type_ = LoggedEvent.objects.values_list("type", flat=True).get(position=failure.position)
    return Poison(projection, failure.position, type_, failure.error)
