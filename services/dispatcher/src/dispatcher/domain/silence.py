"""When a run that still has a process counts as lost: its media time tells, not its process."""

from __future__ import annotations

from datetime import datetime, timedelta

from dispatcher.domain.heard import Run

# A run that is heard, and says why no media comes (it waits for the stream, capture is
# interrupted, the recording is being delivered), gets this many times the limit: it has time
# limits of its own, and they are to end it first.
PATIENCE = 45


def silence_of(
    run: Run | None,
    *,
    launched_at: datetime,
    listening_since: datetime,
    now: datetime,
    limit: float,
) -> str | None:
    """Return a sentence about a run that is lost, None where it may go on.

    `listening_since`: since when the dispatcher can have heard it, for what was said to
    nobody is no silence of the run. `limit` in seconds.
    """
    begin = max(launched_at, listening_since)
    most = timedelta(seconds=limit)
    heard_at = max(begin, run.heard_at) if run else begin
    if now - heard_at >= most:
        return f"Nothing was heard from it for {_seconds(now - heard_at)} s."
    moved_at = max(begin, run.moved_at) if run else begin
    patient = run is None or run.interrupted or run.phase != "RECORDING"
    if now - moved_at >= most * (PATIENCE if patient else 1):
        return f"Its media time stood still for {_seconds(now - moved_at)} s."
    return None


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
