"""Comparing the read models with what the log says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model

from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import known_jobs
from portal.projections.folding import EVERY, fold_jobs
from portal.projections.projection import Projection
from portal.projections.registry import PROJECTIONS
from portal.projections.tables import table_of


@dataclass(frozen=True)
class Difference:
    """A job whose rows are not what its history folds to; `what` says in which columns."""

    job_id: str
    what: str
    projection: str = EVERY


@dataclass
class Counts:
    """How far a comparison has come."""

    jobs: int = 0
    differing: int = 0


def differences(
    counts: Counts, projections: Sequence[Projection] = PROJECTIONS
) -> Iterator[Difference]:
    """Fold every job anew and yield where a read model says something else."""
    for chunk in known_jobs():
        with transaction.atomic():
            lock_log()
            found = list(_compared(chunk, projections))
        counts.jobs += len(chunk)
        counts.differing += len(found)
        yield from found
    for projection in projections:
        for job_id in _without_history(projection):
            counts.differing += 1
            yield Difference(job_id, "has a row but no history", projection.name)


def change_between(before: Sequence[Model], after: Sequence[Model]) -> str:
    """Say in which columns the rows of a job differ: `added`, `removed`, names; "" for none."""
    if not before or not after:
        return "added" if after else "removed" if before else ""
    old, new = ({row.pk: row for row in rows} for rows in (before, after))
    columns = [field.attname for field in before[0]._meta.local_fields]
    if old.keys() != new.keys():
        return "other rows"
    return ", ".join(
        name
        for name in columns
        if any(getattr(old[key], name) != getattr(new[key], name) for key in old)
    )


def _compared(jobs: Collection[str], projections: Sequence[Projection]) -> Iterator[Difference]:
    tables = {one.name: table_of(one.model, one.job_column) for one in projections}
    there = {name: table.by_job(jobs) for name, table in tables.items()}
    for folded in fold_jobs(jobs, projections):
        for name, failure in folded.failures.items():
            yield Difference(folded.job_id, f"cannot be folded: {failure.error}", name)
        for name, rows in folded.rows.items():
            before = there[name].get(folded.job_id, ())
            change = change_between(before, [tables[name].instance(row) for row in rows])
            if change == "added":
                yield Difference(folded.job_id, "has a history but no row", name)
            elif change == "removed":
                yield Difference(folded.job_id, "has a row that its history does not make", name)
            elif change:
                yield Difference(folded.job_id, f"differs in {change}", name)


def _without_history(projection: Projection) -> list[str]:
    heard = LoggedEvent.objects.order_by().values("job_id")
    column = projection.job_column
    rows = projection.model._default_manager.exclude(**{f"{column}__in": heard})
    return list(rows.order_by(column).values_list(column, flat=True).distinct())
