"""How a run's capture came to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from chronicle_contracts.recorder import EndReason


@dataclass(frozen=True)
class Ending:
    """The capture is over; what was saved is delivered (or discarded)."""

    why: EndReason
    detail: str | None = None


@dataclass(frozen=True)
class Failure:
    """Nothing was saved by any attempt, and trying on has no sense."""

    code: str
    detail: str


class Outcome(Enum):
    """What became of a run; `__main__` turns it into an exit code."""

    DELIVERED = "delivered"
    DISCARDED = "discarded"
    FAILED = "failed"
    UNDELIVERED = "undelivered"  # saved, but the store cannot take it: the next attempt tries
    SUPERSEDED = "superseded"  # a later attempt goes on with it; nothing more is said
