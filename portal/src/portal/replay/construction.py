"""Filling the tables of a build while ingest and readers go on.

Folds read outside of any transaction; rows are written in short ones. Each write checks that
nobody else has written since this process looked: two processes at one build help each other,
and an older reading never replaces a newer row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db import transaction

from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import CHUNK, known_jobs
from portal.projections.folding import EVERY, Folded, fold_jobs, write
from portal.replay import builds, shadow
from portal.replay.models import Build


class Overtaken(Exception):
    """Another process has gone on with the build; read it again."""


class Construction:
    """A build at work; `build` is how it stands."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self.projections = builds.projections_of(build)
        self.tables = {
            one.name: shadow.table_of(one, build.table(one.table)) for one in self.projections
        }

    @property
    def is_behind(self) -> bool:
        """Whether something was heard that is not in the tables."""
        return LoggedEvent.objects.filter(position__gt=self.build.position).exists()

    def fold_all(self, on_chunk: Callable[[int], None]) -> None:
        """Fold the jobs that were not folded yet, in the order of their ids."""
        if self.build.folded:
            return
        for chunk in known_jobs(after=self.build.last_job):
            last, number = chunk[-1], len(chunk)

            def advance(build: Build, last: str = last, number: int = number) -> None:
                build.last_job = last
                build.jobs += number

            self._fold(chunk, advance)
            on_chunk(number)

        def finish(build: Build) -> None:
            build.folded = True

        self._fold((), finish)

    def catch_up(self) -> list[str]:
        """Fold once more what heard something since, and what is marked; return those jobs.

        `build.again` has then those that cannot be folded.
        """
        newest = builds.newest_position()
        done = 0
        jobs = sorted({*builds.touched_since(self.build.position), *self.build.again})

        def advance(build: Build) -> None:
            build.position = newest

        while len(rest := jobs[done:]) > CHUNK:
            self._fold(rest[:CHUNK], lambda _: None)
            done += CHUNK
        self._fold(rest, advance)
        return jobs

    def save(self, change: Callable[[Build], None]) -> None:
        """Change the build's record. Raises `Overtaken`."""
        self._fold((), change)

    def _fold(self, jobs: Collection[str], advance: Callable[[Build], None]) -> None:
        seen = self.build.again
        folded = list(fold_jobs(jobs, self.projections)) if jobs else []
        with transaction.atomic():
            build = Build.objects.select_for_update().get(pk=self.build.pk)
            if (build.revision, build.state) != (self.build.revision, self.build.state):
                raise Overtaken
            write(folded, self.tables)
            done = {job_id for job_id in jobs if build.again.get(job_id) == seen.get(job_id)}
            kept = {job_id: why for job_id, why in build.again.items() if job_id not in done}
            failures = {one.job_id: _why(one) for one in folded if one.failures}
            build.again = {**kept, **failures}
            build.revision += 1
            advance(build)
            build.save()
        self.build = build


def _why(folded: Folded) -> str:
    words = (
        failure.error if name == EVERY else f"{name}: {failure.error}"
        for name, failure in folded.failures.items()
    )
    return "; ".join(words)[:500]
