"""The event store of a service: SQLite by default, PostgreSQL by `PERSISTENCE_MODULE`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from chronicle_contracts import Event, decode, encode
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    IntegrityError,
    JSONTranscoder,
    Mapper,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
)
from eventsourcing.utils import EnvType

from chronicle_eventstore.aggregate import Aggregate, Recorded

A = TypeVar("A", bound=Aggregate)


class StreamConflict(Exception):
    """Somebody else has appended to the stream since it was read; read it again and decide."""


class StoreUnwritable(Exception):
    """The database took nothing (disk full, locked, away); try the same again."""


class ContractMapper(Mapper[str]):
    """Stores an event as the contract's JSON: the bytes in the store are those on the wire."""

    def __init__(self) -> None:
        super().__init__(transcoder=JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Encode the event; its type string takes the place of a Python path."""
        assert isinstance(domain_event, Recorded)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=domain_event.event.type,
            state=encode(domain_event.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """Decode the event as it was written; upcasting happens when it is applied."""
        return Recorded.of(decode(stored_event.state))


class EventStore(Application[str]):
    """The aggregates of one service, and with them its outbox.

    The recorder is a process recorder, so that the relay can keep its position (a tracking
    record for each incarnation of the topic) beside the events that it speaks of.
    """

    name = "chronicle"

    def construct_mapper(self) -> Mapper[str]:
        """Store contract JSON instead of pickled or transcoded state."""
        return ContractMapper()

    def construct_recorder(self) -> ProcessRecorder:
        """Keep tracking records in the same database."""
        return self.factory.process_recorder()

    def find(self, cls: type[A], stream: str) -> A | None:
        """Return the aggregate of a stream, or None where nothing has happened in it."""

        def project(_: A | None, recorded: Iterable[Any]) -> A | None:
            aggregate: A | None = None
            for one in recorded:
                if aggregate is None:
                    aggregate = cls.at_stream(stream, one.event.subject, one.timestamp)
                one.mutate(aggregate)
            return aggregate

        try:
            return self.repository.get(stream, projector_func=project)
        except AggregateNotFoundError:
            return None

    def get(self, cls: type[A], stream: str, *, job_id: str, at: datetime) -> A:
        """Return the aggregate of a stream, at version 0 where nothing has happened in it."""
        return self.find(cls, stream) or cls.at_stream(stream, job_id, at)

    def append(self, *aggregates: Aggregate) -> list[Event]:
        """Save what the aggregates recorded, in one transaction; return the new events.

        Raises `StreamConflict` when another process has appended to one of the streams,
        `StoreUnwritable` when it should be tried again.
        """
        pending = [(aggregate, list(aggregate.pending_events)) for aggregate in aggregates]
        try:
            self.save(*aggregates)
        except IntegrityError as error:
            streams = ", ".join(aggregate.id for aggregate in aggregates)
            raise StreamConflict(f"{streams}: appended to by another process") from error
        except OperationalError as error:
            for aggregate, events in pending:
                aggregate.pending_events[:] = events  # the library has taken them out
            raise StoreUnwritable(str(error)) from error
        return [one.event for _, events in pending for one in events if isinstance(one, Recorded)]


def sqlite_environment(path: str) -> Mapping[str, str]:
    """Return the settings of an event store in one SQLite file (WAL, many processes)."""
    return {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": path,
        "SQLITE_LOCK_TIMEOUT": "30",
        "ORIGINATOR_ID_TYPE": "text",
    }


def open_store(env: EnvType) -> EventStore:
    """Open (and where needed create) the event store that the settings name."""
    settings = {"ORIGINATOR_ID_TYPE": "text", **env}
    try:
        return EventStore(settings)
    except IntegrityError:
        # Another process made the tables between the library's look at them and its own attempt,
        # which was rolled back. Now they are there.
        return EventStore(settings)
