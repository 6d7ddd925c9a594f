"""When a run that still has a process counts as lost: its media time tells, not its process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.domain.heard import Run


@dataclass(frozen=True)
class Patience:
    """How long a run may stand still, in seconds.

    `limit` is for a run that records, and for one that says nothing at all. A run that is
    heard and says why no media comes has time limits of its own, which are to end it first:
    `starting`, `idle` and `delivering` are those, and it gets the limit on top of them.
    """

    limit: float = 90.0
    starting: float = 60.0
    idle: float = 180.0
    delivering: float = 3600.0

    def of(self, run: Run | None) -> timedelta:
        """Return how long this run may stand still, by what it said it does."""
        if run is None or run.phase in {None, "STARTED"}:
            own = self.starting * TWICE
        elif run.phase != "RECORDING":
            own = self.delivering
        else:
            own = self.idle * TWICE if run.interrupted else 0.0
        return timedelta(seconds=self.limit + own)


# A recorder asks the site when its time is up, and gives it a last chance: a part more of the
# same time, and what the questions take.
TWICE = 2


def silence_of(
    run: Run | None,
    *,
    launched_at: datetime,
    listening_since: datetime,
    now: datetime,
    patience: Patience,
) -> str | None:
    """Return a sentence about a run that is lost, None where it may go on.

    `listening_since`: since when the dispatcher can have heard it, for what was said to
    nobody is no silence of the run.
    """
    begin = max(launched_at, listening_since)
    heard_at = max(begin, run.heard_at) if run else begin
    if now - heard_at >= timedelta(seconds=patience.limit):
        return f"Nothing was heard from it for {_seconds(now - heard_at)} s."
    moved_at = max(begin, run.moved_at) if run else begin
    if now - moved_at >= patience.of(run):
        return f"Its media time stood still for {_seconds(now - moved_at)} s."
    return None


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
