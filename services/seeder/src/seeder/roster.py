"""All seeds of this service, in memory, as the event store's log tells them."""

from __future__ import annotations

from collections.abc import Iterator

from chronicle_contracts import decode
from chronicle_eventstore import EventStore, Recorded

from seeder.domain.seed import Seed

PAGE = 500


class Roster:
    """Seeds by stream, read from the notification log; for looking, never for deciding.

    A decision reads the aggregate again, so that what another thread appended counts.
    """

    def __init__(self, events: EventStore) -> None:
        self._events = events
        self._position = 0
        self._seeds: dict[str, Seed] = {}

    def catch_up(self) -> None:
        """Read what was appended since the last time."""
        while page := self._events.recorder.select_notifications(self._position + 1, PAGE):
            for notification in page:
                event = decode(notification.state)
                seed = self._seeds.get(event.stream)
                if seed is None:
                    seed = Seed.at_stream(event.stream, event.subject, event.time)
                    self._seeds[event.stream] = seed
                Recorded.of(event).mutate(seed)
                self._position = int(notification.id)

    def __iter__(self) -> Iterator[Seed]:
        return iter(list(self._seeds.values()))

    def __len__(self) -> int:
        return len(self._seeds)
