"""An event with its place in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts import UPCASTERS, Event


@dataclass(frozen=True)
class Entry:
    """An event with its position in the log (0 where it is in none).

    Whatever version it was written in, here it is the newest: what folds and orders events
    sees no other.
    """

    event: Event
    position: int = 0

    def __post_init__(self) -> None:
        """Lift the event; the log keeps it as it came."""
        object.__setattr__(self, "event", UPCASTERS.lift(self.event))


@dataclass(frozen=True)
class Skipped:
    """An event that folds pass over, of some projections or (none named) of all.

    It may be one that nobody can read.
    """

    job_id: str
    position: int
    type: str
    at: datetime
    reason: str
    projections: tuple[str, ...] = ()

    def concerns(self, projection: str) -> bool:
        """Return whether the fold of a projection passes it over."""
        return not self.projections or projection in self.projections
