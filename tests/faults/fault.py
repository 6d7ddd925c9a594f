"""A fault: what happens to a live stream, from when to when, and what nobody could save then."""

from __future__ import annotations

import time

from tests.faults.encoder import Entry
from tests.faults.origin import Origin, Request

# A segment that was there for a shorter time (in playlist reloads) may be missed by anybody.
FEWEST_RELOADS = 2


class Fault:
    """One kind of trouble; subclasses say what it does to the origin or to its answers.

    `length` is in seconds; a fault without one happens at one moment.
    """

    name = ""
    hides_all = False  # nothing can be had of the origin while it lasts
    is_deadly = False  # there is no media after it

    def __init__(self, length: float = 0.0) -> None:
        self.length = length
        self.began: float | None = None
        self.ended: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether it lasts now."""
        return self.began is not None and self.ended is None

    def strike(self, origin: Origin) -> None:
        """Begin."""
        self.began = time.monotonic()
        origin.meddlers.append(self)
        self.happen(origin)

    def relent(self, origin: Origin) -> None:
        """End."""
        self.ended = time.monotonic()
        self.pass_over(origin)

    def happen(self, origin: Origin) -> None:
        """Do to the origin what the fault does at its beginning."""

    def pass_over(self, origin: Origin) -> None:
        """Undo it, where it passes."""

    def answer(self, request: Request) -> bool:
        """Answer a request in the origin's place; False leaves it to the origin."""
        return False

    def denies(self, entry: Entry) -> bool:
        """Whether a segment can never be had."""
        return False

    def unavoidable(self, origin: Origin) -> list[Entry]:
        """Return the segments that cannot be had, because they were offered too shortly."""
        return [
            entry
            for entry in origin.encoder.published
            # A playlist is reloaded once in a segment's length (RFC 8216, 6.3.4).
            if self.denies(entry) or self._offered(entry) < FEWEST_RELOADS * entry.life.segment
        ]

    def _offered(self, entry: Entry) -> float:
        if entry.gone is None:
            return float("inf")  # it stays in the last playlist
        hidden = 0.0
        if self.hides_all and self.began is not None:
            until = self.ended or time.monotonic()
            hidden = max(0.0, min(entry.gone, until) - max(entry.at, self.began))
        return entry.gone - entry.at - hidden


class Together(Fault):
    """Several faults at the same moment."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(max(fault.length for fault in faults))
        self.faults = faults
        self.name = " + ".join(fault.name for fault in faults)
        self.is_deadly = any(fault.is_deadly for fault in faults)

    def strike(self, origin: Origin) -> None:
        for fault in self.faults:
            fault.strike(origin)

    def relent(self, origin: Origin) -> None:
        for fault in self.faults:
            fault.relent(origin)

    def unavoidable(self, origin: Origin) -> list[Entry]:
        found = [entry for fault in self.faults for entry in fault.unavoidable(origin)]
        return list({id(entry): entry for entry in found}.values())
