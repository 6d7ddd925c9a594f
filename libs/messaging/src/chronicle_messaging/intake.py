"""Messages of a queue brought in by several receivers, ahead of who works on them."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import structlog

from chronicle_messaging.backoff import Backoff
from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.lease import Lease
from chronicle_messaging.message import Message
from chronicle_messaging.queue import MOST_AT_ONCE, Queue

log = structlog.get_logger(__name__)

# SQS hands out ten messages a call. One receiver would be bound by its round trips; of a FIFO
# group no second one gets anything while the first has some, so order is kept.
RECEIVERS = 4
_LOOK = 0.2  # seconds after which those who wait look whether to end


class Intake:
    """A context in which messages come in; at most `room` wait here, then nothing is received.

    One receiver listens all the time; the others join while receives come back full. Whoever
    leaves the context takes `left()`: what nobody has worked on.
    """

    def __init__(
        self, queue: Queue, lease: Lease, stop: threading.Event, *, room: int, wait: int
    ) -> None:
        self._queue = queue
        self._lease = lease
        self._stop = stop
        self._room = room
        self._wait = wait
        self._waiting: list[Message] = []
        self._expected = 0  # asked for by receivers that have not come back
        self._changed = threading.Condition()
        self._backlog = False
        self._ended = False
        self._threads = [
            threading.Thread(target=self._receive, args=(n,), name=f"receive-{queue.name}-{n}")
            for n in range(RECEIVERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def batch(self, most: int, *, linger: float) -> list[Message]:
        """Return up to `most` messages; none when it is time to stop.

        Waits for the first, then for more: `linger` seconds, or while there is a backlog.
        """
        with self._changed:
            while not self._waiting and not self._stop.is_set():
                self._changed.wait(_LOOK)
            until = time.monotonic() + linger
            while len(self._waiting) < most and not self._stop.is_set():
                left = until - time.monotonic()
                if left <= 0 and not self._backlog:
                    break
                self._changed.wait(left if left > 0 else _LOOK)
            taken = self._waiting[:most]
            del self._waiting[: len(taken)]
            self._changed.notify_all()
            return taken

    def left(self) -> list[Message]:
        """Return, and forget, what waits."""
        with self._changed:
            left, self._waiting = self._waiting, []
            return left

    def _receive(self, number: int) -> None:
        backoff = Backoff()
        while (asked := self._ask(joins=number > 0)) is not None:
            received: list[Message] = []
            try:
                received = self._queue.receive(asked, wait=0 if number else self._wait)
                self._lease.take(received)
                backoff.reset()
            except ENDPOINT_TROUBLE as error:
                log.warning("receive_failed", queue=self._queue.name, error=str(error))
                backoff.pause(self._stop)
            finally:
                with self._changed:
                    self._expected -= asked
                    self._waiting += received
                    self._backlog = len(received) == asked
                    self._changed.notify_all()

    def _ask(self, *, joins: bool) -> int | None:
        """Return for how many messages to ask, once there is room and need; None at the end."""
        with self._changed:
            while not (self._ended or self._stop.is_set()):
                free = self._room - len(self._waiting) - self._expected
                if free > 0 and (self._backlog or not joins):
                    asked = min(free, MOST_AT_ONCE)
                    self._expected += asked
                    return asked
                self._changed.wait(_LOOK)
            return None
