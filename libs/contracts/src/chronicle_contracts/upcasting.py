"""Upcasters: how an event of an old version is read as the newest one.

An old version stays in the store and on the wire as it was written; it is lifted when it is
read. A breaking change gives the model `version=2`, moves the old one to `superseded` as
`ThingV1`, with one upcaster to v2; a chain of upcasters is followed to its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chronicle_contracts.envelope import Event
from chronicle_contracts.fact import Fact, known_types
from chronicle_contracts.superseded import LIFTS

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


UPCASTERS = UpcasterChain(LIFTS)


def current_types() -> dict[str, type[Fact]]:
    """Return the event types that are still written, each in its newest version, with its model."""
    return {type_: model for type_, model in known_types().items() if type_ not in LIFTS}
