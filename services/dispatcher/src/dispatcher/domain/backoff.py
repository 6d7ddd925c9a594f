"""How often a job is tried, and how long is waited in between."""

from __future__ import annotations

from datetime import timedelta

MOST_TRIES = 5
FIRST_WAIT = timedelta(seconds=2)


def wait_after(tries: int) -> timedelta:
    """Return the wait after that many launches: 2 s, 4 s, 8 s, ..."""
    factor: int = 2 ** max(0, tries - 1)
    return FIRST_WAIT * factor
