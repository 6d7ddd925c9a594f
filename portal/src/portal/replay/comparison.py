"""What a swap would change: the rows of a build beside those that everybody reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import connection

from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import known_jobs
from portal.jobs.verification import change_between
from portal.projections.projection import Projection
from portal.projections.tables import Table, table_of
from portal.replay import shadow
from portal.replay.models import Build

# A report names so many jobs; the counts are of all.
MOST_NAMED = 100

Place = tuple[str, str]
"""A projection and a job."""


class Changes:
    """Rows that differ: what changes, by projection and job."""

    def __init__(self) -> None:
        self.by_place: dict[Place, str] = {}

    def compare(self, projection: Projection, jobs: Collection[str], built: Table) -> None:
        """Compare the rows of some jobs, in place of what was known of them."""
        live = table_of(projection.model, projection.job_column)
        before, after = live.by_job(jobs), built.by_job(jobs)
        for job_id in jobs:
            place = (projection.name, job_id)
            self.by_place.pop(place, None)
            if change := change_between(before.get(job_id, ()), after.get(job_id, ())):
                self.by_place[place] = change

    def leave_out(self, jobs: Collection[str]) -> None:
        """Forget jobs that go on meanwhile; they are compared when they stand still."""
        gone = set(jobs)
        self.by_place = {
            place: change for place, change in self.by_place.items() if place[1] not in gone
        }

    def items(self) -> list[dict[str, str]]:
        """Return each change as reports show it, by job."""
        return [
            {"job": job_id, "change": change, "projection": projection}
            for (projection, job_id), change in sorted(
                self.by_place.items(), key=lambda item: (item[0][1], item[0][0])
            )
        ]

    def report(self) -> dict[str, Any]:
        """Return how many jobs change in which way, and the first changes."""
        jobs: dict[str, set[str]] = defaultdict(set)
        for (_, job_id), change in self.by_place.items():
            jobs[change if change in {"added", "removed"} else "changed"].add(job_id)
        return {
            **{name: len(jobs[name]) for name in ("added", "removed", "changed")},
            "changes": self.items()[:MOST_NAMED],
        }


def compare_all(changes: Changes, projections: Sequence[Projection], build: Build) -> Iterator[int]:
    """Compare all rows, a stretch of jobs at a time, yielding how many jobs so far.

    The database finds what differs. Ingest goes on meanwhile: a job that heard something that
    is not in the build is left out. It is looked up after its rows were read, so that no change
    can slip in between.
    """
    number, low = 0, ""
    for chunk in [*known_jobs(), []]:
        high = chunk[-1] if chunk else None  # after the last one, rows whose job nobody knows
        for projection in projections:
            built = shadow.table_of(projection, build.table(projection.table))
            if differing := _differing(projection, built, low, high):
                changes.compare(projection, differing, built)
        moving = LoggedEvent.objects.filter(position__gt=build.position, job_id__gt=low)
        moving = moving.filter(job_id__lte=high) if high is not None else moving
        changes.leave_out(set(moving.order_by().values_list("job_id", flat=True).distinct()))
        number, low = number + len(chunk), high or low
        yield number


def _differing(projection: Projection, built: Table, low: str, high: str | None) -> list[str]:
    """Return the jobs of a stretch whose rows are not the same in both tables."""
    quote = connection.ops.quote_name
    job = quote(projection.job_column)
    columns = ", ".join(map(quote, built.columns))
    within = f"{job} > %s" + ("" if high is None else f" AND {job} <= %s")
    one, other = (
        f"SELECT {columns} FROM {quote(name)} WHERE {within}"  # noqa: S608 (our own names)
        for name in (projection.table, built.name)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {job} FROM ({one} EXCEPT {other}) AS gone"  # noqa: S608
            f" UNION SELECT {job} FROM ({other} EXCEPT {one}) AS come",
            [low, *([] if high is None else [high])] * 4,
        )
        return [job_id for (job_id,) in cursor.fetchall()]
