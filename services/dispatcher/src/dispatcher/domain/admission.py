"""What becomes of a job after a look at its URL."""

from __future__ import annotations

from datetime import datetime, timedelta

from chronicle_contracts.dispatcher import JobAccepted, JobDeferred, JobRejected, LiveStatus

Verdict = JobAccepted | JobRejected | JobDeferred

# Streams begin late. Somebody who named a time is not told "there is no stream" at that second.
LATENESS = timedelta(minutes=15)
NOT_YET = frozenset({"no_stream", "not_found", "unreachable", "timeout"})

# How often a stream that is announced is looked at again once its time has come, or when no
# time is known: the longer it keeps us waiting, the more seldom.
SOONEST = timedelta(seconds=30)
LATEST = timedelta(minutes=5)
WAIT_PART = 10


def accepted(
    *,
    title: str | None,
    site: str | None,
    live_status: LiveStatus,
    protocol: str | None,
    release_at: datetime | None,
    requested_at: datetime,
    now: datetime,
) -> Verdict:
    """Judge what was seen: live now, a finished video, or a stream that is only announced."""
    if live_status != "upcoming":
        # A finished video is accepted like a live one: it can be fetched as it is.
        return JobAccepted(title=title, site=site, live_status=live_status, protocol=protocol)
    if release_at is not None and release_at > now:
        return JobDeferred(reason="upcoming", until=release_at, title=title)
    again = now + _look_again_after(now - (release_at or requested_at))
    return JobDeferred(reason="upcoming", until=again, title=title)


def refused(code: str, detail: str, *, start_at: datetime | None, now: datetime) -> Verdict:
    """Judge a refusal: final, unless the job's own time came only moments ago."""
    if start_at is not None and code in NOT_YET and now < start_at + LATENESS:
        return JobDeferred(reason="scheduled", until=now + SOONEST)
    return JobRejected(code=code, detail=detail)


def scheduled(start_at: datetime | None, now: datetime) -> JobDeferred | None:
    """Return the deferral of a job whose time has not come."""
    if start_at is None or start_at <= now:
        return None
    return JobDeferred(reason="scheduled", until=start_at)


def _look_again_after(waited: timedelta) -> timedelta:
    return min(max(waited / WAIT_PART, SOONEST), LATEST)
