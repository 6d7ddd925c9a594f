"""What a swap would change: the rows of a build beside those that everybody reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from portal.eventlog.models import LoggedEvent
from portal.jobs.models import Job
from portal.jobs.readmodel import CHUNK
from portal.jobs.verification import differing_fields

# A report names so many jobs; the counts are of all.
MOST_NAMED = 100


class Changes:
    """Jobs whose rows differ, by id: `added`, `removed`, or the columns that change."""

    def __init__(self) -> None:
        self.by_job: dict[str, str] = {}
        self.compared = 0

    def compare(self, ids: Collection[str], live: type[Job], built: type[Job]) -> None:
        """Compare the rows of some jobs, in place of what was known of them."""
        before, after = live.objects.in_bulk(list(ids)), built.objects.in_bulk(list(ids))
        for job_id in ids:
            self.by_job.pop(job_id, None)
            if change := _change(before.get(job_id), after.get(job_id)):
                self.by_job[job_id] = change
        self.compared += len(ids)

    def leave_out(self, jobs: Collection[str]) -> None:
        """Forget jobs that go on meanwhile; they are compared when they stand still."""
        for job_id in jobs:
            self.by_job.pop(job_id, None)

    def report(self) -> dict[str, Any]:
        """Return counts and the first jobs."""
        words = list(self.by_job.values())
        added, removed = words.count("added"), words.count("removed")
        return {
            "compared": self.compared,
            "added": added,
            "removed": removed,
            "changed": len(words) - added - removed,
            "jobs": dict(sorted(self.by_job.items())[:MOST_NAMED]),
        }


def compare_all(
    changes: Changes, live: type[Job], built: type[Job], *, position: int
) -> Iterator[int]:
    """Compare all rows, yielding how many so far; `built` has everything up to `position`.

    Ingest goes on meanwhile: a job that heard something after that is left out. It is looked up
    after its rows were read, so that no change can slip in between.
    """
    last = ""
    while ids := sorted({*_ids(live, last), *_ids(built, last)})[:CHUNK]:
        changes.compare(ids, live, built)
        moving = LoggedEvent.objects.filter(job_id__in=ids, position__gt=position)
        changes.leave_out(set(moving.order_by().values_list("job_id", flat=True).distinct()))
        last = ids[-1]
        yield changes.compared


def _ids(table: type[Job], after: str) -> list[str]:
    rows = table.objects.filter(id__gt=after).order_by("id")
    return list(rows.values_list("id", flat=True)[:CHUNK])


def _change(before: Job | None, after: Job | None) -> str:
    if before is None or after is None:
        return "added" if before is None and after is not None else "removed" if before else ""
    return ", ".join(differing_fields(before, after))
