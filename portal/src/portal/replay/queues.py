"""The queues of the topology, as the portal's settings name them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chronicle_contracts.subscriptions import passes
from chronicle_messaging import ENDPOINT_TROUBLE, Bus, Queue, TopologyError

from portal.configuration import PortalSettings
from portal.replay.errors import NotThere, Unavailable


def connect() -> Bus:
    """Return the bus; nothing is asked of it yet.

    The settings are read anew: a command or request is rare, and tests have many stacks.
    """
    return Bus.connect(PortalSettings())


@functools.lru_cache(maxsize=1)
def connected(settings: PortalSettings) -> Bus:
    """Return a bus that is kept from call to call, for who looks every few seconds."""
    return Bus.connect(settings)


def queue_of(bus: Bus, name: str) -> Queue:
    """Return a queue by its short name. Raises `NotThere`."""
    try:
        return bus.queue(name)
    except TopologyError as error:
        raise NotThere(str(error), field="queue") from error


def names(bus: Bus) -> list[str]:
    """Return the short names of all queues."""
    return list(bus.topology.queues)


def hears(bus: Bus, consumer: str, attributes: Mapping[str, str]) -> bool:
    """Return whether a message with these attributes passes the queue's subscription filter."""
    return passes(bus.topology.queue(consumer).filter, attributes)


@contextmanager
def reachable(bus: Bus) -> Iterator[None]:
    """Turn what the endpoint does wrong into `Unavailable`."""
    try:
        yield
    except ENDPOINT_TROUBLE as error:
        where = bus.clients.endpoint_url or f"AWS in {bus.clients.region}"
        raise Unavailable(f"the queues at {where} cannot be used: {error}") from error
