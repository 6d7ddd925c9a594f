"""The catalogue's entries: what the code knows of an event beside what the log has of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from chronicle_contracts.catalogue import EventType, event_types
from chronicle_contracts.subscriptions import consumers
from chronicle_messaging import load_topology

from portal.catalogue.tally import Seen, seen
from portal.configuration import PortalSettings

_FLOW = ("portal", "dispatcher", "recorder", "seeder")  # in the order of a job's life


@dataclass(frozen=True)
class Entry:
    """One version of an event."""

    event: EventType
    consumers: list[str]
    seen: Seen | None

    @property
    def count(self) -> int:
        """How many the log has."""
        return self.seen.count if self.seen else 0

    @property
    def last_seen(self) -> datetime | None:
        """When one was last heard."""
        return self.seen.last_seen if self.seen else None


@dataclass(frozen=True)
class Event:
    """All versions of an event, the newest first."""

    versions: list[Entry]

    @property
    def newest(self) -> Entry:
        """The version that is written."""
        return self.versions[0]

    @property
    def count(self) -> int:
        """How many the log has, of all versions."""
        return sum(entry.count for entry in self.versions)

    @property
    def last_seen(self) -> datetime | None:
        """When one was last heard, of whatever version."""
        return max((entry.last_seen for entry in self.versions if entry.last_seen), default=None)


@dataclass(frozen=True)
class Catalogue:
    """What is said; `strangers` are types of the log that this version of the code knows not."""

    entries: list[Entry]
    strangers: list[tuple[str, Seen]]

    @property
    def events(self) -> list[Event]:
        """The entries with the versions of an event together, by publisher and name."""

        def key(entry: Entry) -> tuple[int, str, str]:
            publisher = entry.event.publisher
            rank = _FLOW.index(publisher) if publisher in _FLOW else len(_FLOW)
            return rank, publisher, entry.event.name

        ordered = sorted(self.entries, key=lambda entry: (*key(entry), -entry.event.version))
        return [Event(list(versions)) for _, versions in groupby(ordered, key)]

    def named(self, name: str) -> list[Event]:
        """Return the events of a name: one, or none."""
        return [event for event in self.events if event.newest.event.name == name]


def topology() -> tuple[dict[str, Any], str]:
    """Return the topology of this stack and the prefix of its names."""
    settings = PortalSettings()
    return load_topology(settings.topology).model_dump(), settings.prefix


def catalogue() -> Catalogue:
    """Return what is known now."""
    queues, _ = topology()
    counted = seen()
    entries = [
        Entry(one, consumers(one.type, queues), counted.pop(one.type, None))
        for one in event_types()
    ]
    return Catalogue(entries, _by_type(counted.items()))


def _by_type(items: Iterable[tuple[str, Seen]]) -> list[tuple[str, Seen]]:
    return sorted(items, key=lambda item: item[0])
