"""Event stores of services: eventsourcing's aggregates and recorders over contract events."""

from chronicle_eventstore.aggregate import Aggregate, Recorded
from chronicle_eventstore.application import (
    ContractMapper,
    EventStore,
    StoreUnwritable,
    StreamConflict,
    open_store,
    sqlite_environment,
)

__all__ = [
    "Aggregate",
    "ContractMapper",
    "EventStore",
    "Recorded",
    "StoreUnwritable",
    "StreamConflict",
    "open_store",
    "sqlite_environment",
]
