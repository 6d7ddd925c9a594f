"""The last look at a URL whose stream is waited for, and when the next one is due.

Far from the start a look is seldom, and it comes the nearer the start, the more often: so a
start that is moved, given up or early is noticed, and the site is not asked more than it takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.domain.dispatch import Dispatch
from dispatcher.domain.heard import Run

# The pause is a part of the time that is left, or of that by which the stream is late.
TIME_LEFT, LATE = 10, 30
SOONEST = timedelta(seconds=5)
FAR = timedelta(hours=1)  # the longest pause before the start
OVERDUE = timedelta(minutes=2)  # and after it, or where no start is known
# Trouble is looked into at once, then more and more seldom; a site that blocks us is spared.
SPARED = timedelta(seconds=20)
AROUND = timedelta(minutes=15)
# A job's own time is its start: whoever looks so much before it has a recorder by then.
LEAD = timedelta(seconds=10)
# What a launch takes anyhow; live streams are begun as far back as that.
A_MOMENT = timedelta(seconds=10)
# Sites say that a stream is on some seconds after it is.
LAG = timedelta(seconds=30)


@dataclass(frozen=True)
class Look:
    """When a job's URL was last looked at.

    `not_yet_at`: when the site last said that it is not yet time; `troubled_since`: when the
    looks began to bring nothing but trouble.
    """

    job_id: str
    at: datetime
    not_yet_at: datetime | None = None
    troubled_since: datetime | None = None


def due_at(dispatch: Dispatch, look: Look | None) -> datetime:
    """Return when a job that waits for its stream is to be looked at (again)."""
    deferral, since = dispatch.deferral, dispatch.waits_since
    assert deferral is not None
    assert since is not None
    deferred_at = dispatch.deferred_at or since
    begins = deferral.until
    last = deferred_at if look is None else max(look.at, deferred_at)
    if deferral.reason == "scheduled" and begins is not None and last < begins - LEAD:
        return begins - LEAD  # nobody asked for what comes before
    troubled_since = look.troubled_since if look else None
    if begins is not None and abs(last - begins) <= AROUND:
        troubled_since = None  # in these minutes a refusal is no trouble: it has not begun
    return last + pause(last, begins=begins, since=since, troubled_since=troubled_since)


def pause(
    last: datetime,
    *,
    begins: datetime | None,
    since: datetime,
    troubled_since: datetime | None = None,
) -> timedelta:
    """Return the pause after a look at `last`, for a stream that is waited for `since` then."""
    if begins is not None and last < begins:
        rhythm = min((begins - last) / TIME_LEFT, FAR)
    else:
        rhythm = min((last - (begins or since)) / LATE, OVERDUE)
    if troubled_since is not None:
        rhythm = min(max((last - troubled_since) / 2, SPARED), max(rhythm, SPARED))
    return max(rhythm, SOONEST)


def missed_since(
    wanted_at: datetime, look: Look | None, runs: Iterable[Run], now: datetime
) -> datetime | None:
    """Return since when media was missed, where that is not only a moment; None otherwise.

    `wanted_at`: when the job was to begin. A recording that has begun misses what came since
    its newest media; a stream that was waited for, all since its site said "not yet".
    """
    moved = [run.moved_at for run in runs if run.media_seconds > 0]
    if moved:
        since = max(moved)
    elif look is not None and look.not_yet_at is not None:
        since = look.not_yet_at - LAG
    else:
        since = wanted_at
    return since if now - since > A_MOMENT else None
