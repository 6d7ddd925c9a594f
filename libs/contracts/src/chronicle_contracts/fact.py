"""Facts: the payloads of events, each with a stable, versioned type string."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

PREFIX = "chronicle"

# JSON has no infinity: a number that is none could be read and never be written again.
OPEN = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
"""How facts and their parts are read: frozen, and open to fields of a newer writer."""


class Fact(BaseModel):
    """What happened, in the past tense; frozen, and open to fields of a newer writer.

    A subclass states who publishes it and in which version::

        class JobAccepted(Fact, publisher="dispatcher"): ...

    and is from then on known to the codec as ``chronicle.dispatcher.JobAccepted.v1``. The model
    of a superseded version gives the event's name too (`name=`), as the class of the newest
    version bears it.
    Fields that this version does not know are kept and written again, so that a message
    passes unharmed through a reader that is older than its writer.
    """

    model_config = OPEN

    TYPE: ClassVar[str]

    def __init_subclass__(cls, **_: Any) -> None:
        # The class keywords are for the hook below, which runs once the fields are known.
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        publisher: str | None = None,
        version: int = 1,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if publisher is None:
            return  # an intermediate class that only shares fields
        cls.TYPE = f"{PREFIX}.{publisher}.{name or cls.__name__}.v{version}"
        if cls.TYPE in _known:
            raise TypeError(f"event type {cls.TYPE} is defined twice")
        _known[cls.TYPE] = cls


class Unknown(Fact):
    """The payload of an event whose type this reader does not know; kept as it came."""


_known: dict[str, type[Fact]] = {}


def fact_class(type_: str) -> type[Fact]:
    """Return the model for an event type, or `Unknown` for a type of a newer writer."""
    return _known.get(type_, Unknown)


def known_types() -> dict[str, type[Fact]]:
    """Return every event type of this version with its model, ordered by type."""
    return dict(sorted(_known.items()))
