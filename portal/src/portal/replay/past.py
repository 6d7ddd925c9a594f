"""As-of: a job as it was."""

from __future__ import annotations

from datetime import datetime

from portal.eventlog import history
from portal.jobs.projection import fold_history
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
    marks = [
        mark
        for mark in history.skipped([job_id]).get(job_id, ())
        if (position is None or mark.position <= position) and (time is None or mark.at <= time)
    ]
    try:
        entries = history.of_job(job_id, until_position=position, until=time)
        state = fold_history(entries, marks)
    except Exception as error:
        raise NotNow(
            f"the history of job {job_id!r} cannot be folded ({sentence(error)}); "
            "see the parked jobs"
        ) from error
    if state is None:
        raise NotThere(f"nothing was known of a job {job_id!r} then")
    return state
