"""As-of: a job as it was known at a position of the log, or as it truly was at a time.

Both read milestones and the newest progress before the moment alone, however long the history.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from portal.eventlog import history
from portal.jobs.changes import EventChange, changes_of
from portal.jobs.projection import NAME, fold_history
from portal.jobs.readmodel import sentence
from portal.jobs.state import JobState
from portal.replay.errors import BadParameters, NotNow, NotThere


def as_of(job_id: str, *, position: int | None = None, time: datetime | None = None) -> JobState:
    """Return a job as it was at a position of the log, or at a time of occurrence.

    Raises `BadParameters` unless one of the two is given, `NotThere` where nothing was known
    of the job then, `NotNow` where its history cannot be folded.
    """
    if (position is None) == (time is None):
        raise BadParameters("give either a position or a time", field="position")
    then = Q(occurred_at__lte=time) if time is not None else Q(position__lte=position)
    everything = history.skipped([job_id]).get(job_id, ())
    marks = [
        mark
        for mark in everything
        if (position is None or mark.position <= position) and (time is None or mark.at <= time)
    ]
    try:
        without = [one.position for one in everything if one.concerns(NAME)]
        logged = history.of_jobs([job_id], without=without, then=then)
        state = fold_history(history.read(logged[job_id]), marks)
    except Exception as error:
        raise _unfoldable(job_id, error) from error
    if state is None:
        raise NotThere(f"nothing was known of a job {job_id!r} then")
    return state


def history_of(job_id: str) -> list[EventChange]:
    """Return a job's history with what each event changed, empty where there is none.

    Raises `NotNow` where it cannot be folded.
    """
    try:
        return changes_of(job_id)
    except Exception as error:
        raise _unfoldable(job_id, error) from error


def _unfoldable(job_id: str, error: Exception) -> NotNow:
    return NotNow(
        f"the history of job {job_id!r} cannot be folded ({sentence(error)}); see the parked jobs"
    )
