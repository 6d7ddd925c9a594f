"""Keeping the read models up to date, in the transaction that changes the log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db.models import Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from portal.eventlog.models import LoggedEvent, ParkedJob
from portal.projections.folding import Failure, Folded, fold_jobs, write
from portal.projections.models import Checkpoint
from portal.projections.registry import NAMES, PROJECTIONS
from portal.projections.tables import table_of

log = structlog.get_logger(__name__)


def refold(jobs: Collection[str]) -> int:
    """Fold the histories of these jobs anew and write their rows; return how many are whole.

    What cannot be folded is parked: that projection of that job keeps its rows as they are, an
    entry in `ParkedJob` says where and why, and all others go on. Call it in the transaction
    that changed the log.
    """
    folded = list(fold_jobs(jobs, PROJECTIONS))
    write(folded, {one.name: table_of(one.model, one.job_column) for one in PROJECTIONS})
    _park(folded, timezone.now())
    _advance()
    return sum(not one.failures for one in folded)


def _park(folded: Collection[Folded], now: datetime) -> None:
    failures: dict[tuple[str, str], Failure] = {}
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


def _advance() -> None:
    newest = LoggedEvent.objects.order_by("-position").values("position")[:1]
    Checkpoint.objects.filter(projection__in=NAMES).update(position=Coalesce(Subquery(newest), 0))
