"""What becomes of a job after a look at its URL."""

from __future__ import annotations

from datetime import datetime, timedelta

from chronicle_contracts.dispatcher import JobAccepted, JobDeferred, JobRejected, LiveStatus

from dispatcher.domain.look import AROUND, LEAD

Verdict = JobAccepted | JobRejected | JobDeferred

# The site answers, and there is nothing: it was given up, or is not there in that very minute.
GONE = frozenset({"no_stream", "not_found"})
# Nobody answers, or nobody answers us: that says nothing about the stream.
AWAY = frozenset({"unreachable", "timeout", "blocked"})

# Streams begin late. Somebody who waits is not told "there is no stream" at that second, nor
# after a page was taken down for a minute; an outage of a site outlasts its streams' starts.
LATENESS = AROUND
OUTAGE = timedelta(hours=6)
# A start that is moved by less is the same start.
A_MOVE = timedelta(minutes=1)


def accepted(
    *,
    title: str | None,
    site: str | None,
    live_status: LiveStatus,
    protocol: str | None,
    release_at: datetime | None,
) -> Verdict:
    """Judge what was seen: live now, a finished video, or a stream that is only announced."""
    if live_status == "upcoming":
        return JobDeferred(reason="upcoming", until=release_at, title=title)
    # A finished video is accepted like a live one: it can be fetched as it is.
    return JobAccepted(title=title, site=site, live_status=live_status, protocol=protocol)


def refused(
    code: str,
    detail: str,
    *,
    start_at: datetime | None,
    waits: JobDeferred | None,
    troubled_since: datetime,
    now: datetime,
) -> Verdict:
    """Judge a refusal: final, unless the stream may still come.

    `waits` is what the job waits for since an earlier look, None at the first; `troubled_since`
    is when the first refusal in a row came.
    """
    begins = (waits.until if waits else None) or start_at
    waiting = waits or JobDeferred(reason="scheduled", until=start_at)
    if code not in GONE | AWAY:
        return JobRejected(code=code, detail=detail)
    # Gone long before its start it was given up; in the minutes around it, who knows.
    if begins is not None and begins - LATENESS <= now < begins + LATENESS:
        return waiting
    if begins is not None and code in AWAY and now < begins:
        return waiting
    if waits is not None and now < troubled_since + (LATENESS if code in GONE else OUTAGE):
        return waiting
    return JobRejected(code=code, detail=detail)


def is_said(said: JobDeferred | None, verdict: Verdict) -> bool:
    """Return whether a verdict says no more than what was said last.

    A site that counts its start anew at each look does not fill the log with that.
    """
    if said is None or not isinstance(verdict, JobDeferred):
        return False
    if (said.reason, said.title) != (verdict.reason, verdict.title):
        return False
    if said.until is None or verdict.until is None:
        return said.until == verdict.until
    return abs(said.until - verdict.until) < A_MOVE


def scheduled(start_at: datetime | None, now: datetime) -> JobDeferred | None:
    """Return the deferral of a job whose time has not come."""
    if start_at is None or start_at - LEAD <= now:
        return None
    return JobDeferred(reason="scheduled", until=start_at)
