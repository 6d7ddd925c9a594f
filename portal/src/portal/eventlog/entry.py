"""An event with its place in the log."""

from __future__ import annotations

from dataclasses import dataclass

from chronicle_contracts import Event


@dataclass(frozen=True)
class Entry:
    """An event with its position in the log (0 where it is in none)."""

    event: Event
    position: int = 0
