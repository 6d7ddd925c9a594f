"""The dispatcher's queue as its line to the world: since when could anything be heard?

A recorder that nobody can hear is not silent. Without this, an endpoint that is down for longer
than the heartbeat timeout would end every recording that goes on well.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from chronicle_messaging import Bus, Message, Queue

from dispatcher.ports import Clock

# A receive takes a few seconds at most; an endpoint that hangs for longer counts as down.
STALE = timedelta(seconds=30)


class Line:
    """The port `Link`: fed with every receive, good and bad."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._last: datetime | None = None

    def up_since(self) -> datetime | None:
        """Return since when events can have come in, None while the line is down."""
        with self._lock:
            return None if self._is_stale() else self._since

    def received(self) -> None:
        """Note that the queue answered."""
        with self._lock:
            if self._since is None or self._is_stale():
                self._since = self._clock.now()
            self._last = self._clock.now()

    def failed(self) -> None:
        """Note that it did not."""
        with self._lock:
            self._since = None

    def _is_stale(self) -> bool:
        return self._last is None or self._clock.now() - self._last > STALE


class ListenedQueue(Queue):
    """A queue that tells the line how its receives went."""

    def __init__(self, bus: Bus, name: str, line: Line) -> None:
        super().__init__(bus, name)
        self._line = line

    def receive(
        self, most: int = 10, *, wait: int = 0, visibility: int | None = None
    ) -> list[Message]:
        """Receive as any queue does."""
        try:
            messages = super().receive(most, wait=wait, visibility=visibility)
        except Exception:
            self._line.failed()
            raise
        self._line.received()
        return messages


class PushedLine:
    """The port `Link` where the queue's messages are brought to us, as on Lambda.

    Whoever brings them goes on whether we run or not, so nothing is said to nobody.
    """

    def up_since(self) -> datetime | None:
        """Return the beginning of time."""
        return datetime.min.replace(tzinfo=UTC)
