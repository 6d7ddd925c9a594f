"""Folding the histories of jobs into the states of projections.

1. Read what was heard of each job: all milestones, and of progress the newest of each stream,
   which says all that those before it said.
2. Decode it, lift it to the newest versions, and put it into canonical order: once for all
   projections.
3. Fold each projection by itself: one that fails at a job leaves the others alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from portal.eventlog import history
from portal.eventlog.entry import Entry, Skipped
from portal.jobs.order import canonical, newest_progress
from portal.projections.projection import Projection
from portal.projections.tables import Table, Values, table_of

EVERY = ""
"""In place of a projection's name: what fails concerns all of them."""


@dataclass(frozen=True)
class Failure:
    """Where a history cannot be folded (a position, 0 where it is no single event), and why."""

    position: int
    error: str
    traceback: str

    @classmethod
    def of(cls, error: Exception, position: int = 0) -> Failure:
        """Describe an error."""
        told = "".join(traceback.format_exception(error))
        return cls(position, sentence(error), told.replace("\x00", "\N{REPLACEMENT CHARACTER}"))


@dataclass(frozen=True)
class Folded:
    """A job's rows by projection, prepared for their tables, and what could not be folded."""

    job_id: str
    rows: Mapping[str, Sequence[Values]] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)


def fold_jobs(
    jobs: Collection[str], projections: Sequence[Projection], *, before: int | None = None
) -> Iterator[Folded]:
    """Fold each of these jobs that the log knows, or knew `before` a position."""
    marks = history.skipped(jobs)
    then = None
    if before is not None:
        then = Q(position__lt=before)
        marks = {
            job_id: [mark for mark in of_job if mark.position < before]
            for job_id, of_job in marks.items()
        }
    everywhere = [
        mark.position for of_job in marks.values() for mark in of_job if not mark.projections
    ]
    histories = history.of_jobs(jobs, without=everywhere, then=then)
    _add_stand_ins(histories, marks, then)
    for job_id in histories | marks:
        yield _folded(job_id, histories.get(job_id, ()), marks.get(job_id, ()), projections)


def write(folded: Collection[Folded], tables: Mapping[str, Table]) -> None:
    """Write the rows of these jobs into tables by projection; what failed keeps its rows."""
    for name, table in tables.items():
        of_jobs = {one.job_id: one.rows[name] for one in folded if name in one.rows}
        table.replace(of_jobs, [row for rows in of_jobs.values() for row in rows])


def sentence(error: Exception) -> str:
    """Return an error in one line that every database can keep."""
    return f"{type(error).__name__}: {error}".replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _add_stand_ins(
    histories: dict[str, list[history.Logged]],
    marks: Mapping[str, Sequence[Skipped]],
    then: Q | None,
) -> None:
    """Add the progress before that which only some projections pass over: they show that."""
    of_some = {
        job_id: [mark.position for mark in of_job]
        for job_id, of_job in marks.items()
        if any(mark.projections for mark in of_job)
    }
    if of_some:
        without = [position for positions in of_some.values() for position in positions]
        for job_id, logged in history.of_jobs(of_some, without=without, then=then).items():
            histories[job_id] = list({*histories[job_id], *logged})


def _folded(
    job_id: str,
    logged: Collection[history.Logged],
    marks: Sequence[Skipped],
    projections: Sequence[Projection],
) -> Folded:
    entries: list[Entry] = []
    position = 0
    try:
        for position, envelope in sorted(logged):
            entries.append(history.entry(position, envelope))
        position = 0
        ordered = canonical(newest_progress(entries))
    except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this job only)
        return Folded(job_id, failures={EVERY: Failure.of(error, position)})
    rows: dict[str, Sequence[Values]] = {}
    failures: dict[str, Failure] = {}
    for projection in projections:
        seen = ordered
        if passed := {one.position for one in marks if one.projections} and {
            one.position for one in marks if one.concerns(projection.name)
        }:
            seen = canonical(newest_progress(one for one in entries if one.position not in passed))
        found = _fold_one(job_id, seen, marks, projection)
        if isinstance(found, Failure):
            failures[projection.name] = found
        else:
            rows[projection.name] = found
    return Folded(job_id, rows, failures)


def _fold_one(
    job_id: str, ordered: Sequence[Entry], marks: Sequence[Skipped], projection: Projection
) -> Sequence[Values] | Failure:
    state: Any = None
    position = 0
    fold = projection.fold
    try:
        for entry in ordered:
            position = entry.position
            state = fold(state, entry.event, position=position)
        position = 0
        if projection.mark is not None:
            for mark in marks:
                state = projection.mark(state, mark)
        if state is None:
            return ()
        prepared = table_of(projection.model, projection.job_column).prepared
        return [prepared(row) for row in projection.rows(job_id, state)]
    except Exception as error:  # noqa: BLE001 (whatever it is, it concerns this one only)
        return Failure.of(error, position)
