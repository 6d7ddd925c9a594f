"""Upcasters: how an event of an old version is read as the newest one.

An old version stays in the store and on the wire as it was written; it is lifted when it is
read. A breaking change adds `class Thing(Fact, publisher=..., version=2)` in a module of its
own and one upcaster from v1; a chain of upcasters is followed to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chronicle_contracts.envelope import Event
from chronicle_contracts.fact import Fact

Upcaster = Callable[[Fact], Fact]


class UpcasterChain:
    """Upcasters by the type that they lift; each returns the next version's fact."""

    def __init__(self, upcasters: Mapping[str, Upcaster]) -> None:
        self._upcasters = dict(upcasters)

    def lift(self, event: Event) -> Event:
        """Return the event in its newest version; id, stream and sequence stay."""
        lifted = event
        while (upcaster := self._upcasters.get(lifted.type)) is not None:
            fact = upcaster(lifted.data)
            if lifted.type == fact.TYPE:
                raise TypeError(f"the upcaster of {lifted.type} returned the same type")
            lifted = lifted.model_copy(update={"type": fact.TYPE, "data": fact})
        return lifted


# No event has a second version yet.
UPCASTERS = UpcasterChain({})
