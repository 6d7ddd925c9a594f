"""Keeping the read models up to date, in the transaction that changes the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import structlog
from django.db.models import Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal.eventlog.models import LoggedEvent, ParkedJob
from portal.projections.folding import EVERY, Failure, Folded, fold_jobs, write
from portal.projections.models import Checkpoint
from portal.projections.projection import Projection
from portal.projections.registry import NAMES, PROJECTIONS
from portal.projections.tables import Table, table_of

log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""A job and a projection."""


def refold(jobs: Collection[str]) -> int:
    """Fold the histories of these jobs anew and write their rows; return how many are whole.

    What cannot be folded is parked: that projection of that job stands still where it was
    before the event to blame, an entry in `ParkedJob` says where and why, and all others go on.
    Call it in the transaction that changed the log.
    """
    folded = list(fold_jobs(jobs, PROJECTIONS))
    write(folded, _tables(PROJECTIONS))
    _show_what_came_before(_park(folded, timezone.now()))
    _advance()
    return sum(not one.failures for one in folded)


def _tables(projections: Iterable[Projection]) -> dict[str, Table]:
    return {one.name: table_of(one.model, one.job_column) for one in projections}


def _park(folded: Collection[Folded], now: datetime) -> dict[Place, Failure]:
    """Park what cannot be folded, and nothing else; return what was not parked before."""
    failures: dict[Place, Failure] = {}
    for one in folded:
        for name, failure in one.failures.items():
            failures[one.job_id, name] = failure
            log.error(
                "job_parked",
                job_id=one.job_id,
                projection=name or "all",
                position=failure.position,
                error=failure.error,
            )
    there = {
        (row.job_id, row.projection): row
        for row in ParkedJob.objects.filter(job_id__in=[one.job_id for one in folded])
    }
    ParkedJob.objects.filter(
        pk__in=[row.pk for place, row in there.items() if place not in failures]
    ).delete()
    ParkedJob.objects.bulk_create(
        (
            ParkedJob(
                job_id=job_id,
                projection=name,
                position=failure.position or None,
                error=failure.error,
                traceback=failure.traceback,
                parked_at=there[job_id, name].parked_at if (job_id, name) in there else now,
            )
            for (job_id, name), failure in failures.items()
        ),
        update_conflicts=True,
        unique_fields=["job_id", "projection"],
        update_fields=["position", "error", "traceback", "parked_at"],
    )
    return {place: failure for place, failure in failures.items() if place not in there}


def _show_what_came_before(parked: Mapping[Place, Failure]) -> None:
    """Write the rows as they were before the event that parks them, whatever came with it.

    Where it is an old event, which code of now cannot fold any more, the rows know of later
    ones and stay.
    """
    known = dict(Checkpoint.objects.values_list("projection", "position")) if parked else {}
    for (job_id, name), failure in parked.items():
        concerned = [one for one in PROJECTIONS if name in {EVERY, one.name}]
        for projection in concerned if failure.position else ():
            tables = _tables([projection])
            is_new = failure.position > known.get(projection.name, failure.position)
            if is_new or not tables[projection.name].by_job([job_id]):
                write(_before(job_id, projection, failure.position), tables)


def _before(job_id: str, projection: Projection, position: int) -> list[Folded]:
    """Fold what was heard before a position; where that cannot be either, what was before that."""
    while position:
        folded = list(fold_jobs([job_id], [projection], before=position))
        failures = [failure for one in folded for failure in one.failures.values()]
        if not failures:
            return folded
        position = failures[0].position
    return []


def _advance() -> None:
    newest = LoggedEvent.objects.order_by("-position").values("position")[:1]
    Checkpoint.objects.filter(projection__in=NAMES).update(position=Coalesce(Subquery(newest), 0))
