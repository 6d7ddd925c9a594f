"""Aggregates whose events are contract facts.

The library's aggregate keeps identity, version and pending events; what it records is the
event of `chronicle_contracts`, envelope and all, so there is no second vocabulary to map to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from chronicle_contracts import UPCASTERS, Event, Fact
from eventsourcing.domain import BaseAggregate, CanMutateAggregate


class Recorded(CanMutateAggregate[str]):
    """A contract event in the shape that eventsourcing records and replays."""

    def __init__(
        self,
        *,
        originator_id: str,
        originator_version: int,
        timestamp: datetime,
        event: Event,
    ) -> None:
        self.originator_id = originator_id
        self.originator_version = originator_version
        self.timestamp = timestamp
        self.event = event

    @classmethod
    def of(cls, event: Event) -> Self:
        """Wrap an event that was read from a store."""
        return cls(
            originator_id=event.stream,
            originator_version=event.sequence,
            timestamp=event.time,
            event=event,
        )

    def apply(self, aggregate: Any) -> None:
        """Evolve the aggregate by the event, read in its newest version."""
        aggregate.evolve(UPCASTERS.lift(self.event))


class Aggregate(BaseAggregate[str]):
    """One stream of a service: decides purely, records facts, publishes nothing.

    A subclass names its `SOURCE`, initialises its state in `begin`, and evolves in `apply`
    (a `functools.singledispatchmethod` over fact types; facts it does not know change nothing).
    """

    SOURCE: ClassVar[str] = "/"

    job_id: str

    @classmethod
    def at_stream(cls, stream: str, job_id: str, at: datetime) -> Self:
        """Return the aggregate of a stream in which nothing has happened yet (version 0)."""
        blank = cls.__new__(cls)
        blank.__base_init__(originator_id=stream, originator_version=0, timestamp=at)
        blank.job_id = job_id
        blank.begin()
        return blank

    def begin(self) -> None:
        """Set the state that an empty stream has."""

    def evolve(self, event: Event) -> None:
        """Evolve the state by an event; for those who need its envelope (time, cause) too."""
        self.apply(event.data)

    def apply(self, fact: Fact) -> None:
        """Evolve the state by a fact of the past; no decisions here."""
        raise NotImplementedError

    @property
    def source(self) -> str:
        """The CloudEvents source of what this aggregate records."""
        return self.SOURCE

    def record(
        self, fact: Fact, *, at: datetime, cause: Event | None = None, sealed: bool = False
    ) -> None:
        """Append a fact to the stream; it is durable once the application has saved it."""
        event = Event.of(
            fact,
            source=self.source,
            job_id=self.job_id,
            stream=self.id,
            sequence=self.version + 1,
            time=at,
            cause=cause,
            sealed=sealed,
        )
        self.trigger_event(Recorded, event=event, timestamp=event.time)
