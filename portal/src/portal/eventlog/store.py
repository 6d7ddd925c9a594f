"""The portal's own aggregates and outbox, in the portal's database."""

from __future__ import annotations

import functools
from typing import cast

from chronicle_eventstore import EventStore
from eventsourcing.persistence import InfrastructureFactory, ProcessRecorder
from eventsourcing.utils import Environment

from portal.eventlog.recorder import OrmFactory


class PortalEventStore(EventStore):
    """An event store whose appends take part in Django's transactions."""

    name = "portal"

    def construct_factory(self, env: Environment) -> InfrastructureFactory:
        """Use Django's database, whatever `PERSISTENCE_MODULE` says."""
        return OrmFactory(env)


@functools.cache
def portal_store() -> PortalEventStore:
    """Return the store of this process; it holds no connection of its own."""
    return PortalEventStore({"ORIGINATOR_ID_TYPE": "text"})


def outbox() -> ProcessRecorder:
    """Return the recorder that the relay reads and keeps its positions in."""
    return cast("ProcessRecorder", portal_store().recorder)
