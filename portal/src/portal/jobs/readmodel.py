"""The read models as the rest of the portal uses them: brought up to date, and read back."""

from __future__ import annotations

from collections.abc import Iterator

from portal.eventlog import history
from portal.jobs.rows import row_of, state_of
from portal.projections.folding import sentence
from portal.projections.live import refold

__all__ = ["CHUNK", "known_jobs", "refold", "row_of", "sentence", "state_of"]

# Jobs folded at once: their histories are in memory together.
CHUNK = 500


def known_jobs(*, after: str = "") -> Iterator[list[str]]:
    """Yield the ids of all jobs in the log, `CHUNK` at a time, in order; those `after` an id."""
    last = after
    while chunk := history.jobs_after(last, limit=CHUNK):
        yield chunk
        last = chunk[-1]
