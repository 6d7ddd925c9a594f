"""An event with its place in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts import Event


@dataclass(frozen=True)
class Entry:
    """An event with its position in the log (0 where it is in none)."""

    event: Event
    position: int = 0


@dataclass(frozen=True)
class Skipped:
    """An event that a fold passes over; it may be one that nobody can read."""

    job_id: str
    position: int
    type: str
    at: datetime
    reason: str
