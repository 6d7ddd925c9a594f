"""The outbox relay: what a service has saved becomes known to all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

import structlog
from eventsourcing.persistence import ProcessRecorder

from chronicle_messaging.backoff import Backoff
from chronicle_messaging.bus import Bus
from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.position import Positions, utc_now

log = structlog.get_logger(__name__)

WINDOW = 200  # events read from the store at a time
_STILL_THERE = 2.0  # seconds
_SEE_STOP_WITHIN = 10.0  # seconds, where nobody wakes the relay


class _Step(Enum):
    IDLE = auto()  # nothing is left to say
    MOVED = auto()
    STUCK = auto()  # not everything was confirmed


class Relay:
    """Says what is in an event store and has not been said: at least once, never skipping.

    Works over any recorder of eventsourcing that keeps events and tracking records. Several
    relays, in several processes, may work over one store: they repeat each other at worst.
    `on_progress` gets the id of the last confirmed notification. `still_there`: seconds after
    which it is asked again whether the topic is the one that it was. `save_every`: seconds for
    which a position may be known here alone; what follows it is said twice after a crash.
    """

    def __init__(
        self,
        recorder: ProcessRecorder,
        bus: Bus,
        *,
        poll: float = 0.25,
        still_there: float = _STILL_THERE,
        save_every: float = 0.0,
        on_progress: Callable[[int], None] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._recorder = recorder
        self._bus = bus
        self._publisher = bus.publisher()
        self._positions = Positions(recorder, save_every=save_every, clock=clock)
        self._poll = poll
        self._still_there = still_there
        self._on_progress = on_progress
        self._woken = threading.Event()
        # run() and drain() may be on different threads.
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set; while the endpoint is down, wait longer and longer.

        That `stop` is set is seen at the next look, and a look is what `wake` is for, too.
        """
        backoff = Backoff()
        while not stop.is_set():
            # Before the store is read: what is saved from here on is worth another look.
            self._woken.clear()
            step = self._attempt()
            if step is _Step.STUCK:
                backoff.pause(stop)
                continue
            backoff.reset()
            if step is _Step.IDLE:
                self._rest(stop)

    def wake(self) -> None:
        """Look at once: something was saved."""
        self._woken.set()

    def drain(self, timeout: float) -> bool:
        """Publish until nothing is left and return True; False when `timeout` seconds are over.

        For the end of a process that has nobody after it to say the rest.
        """
        deadline = time.monotonic() + timeout
        backoff = Backoff()
        never = threading.Event()
        while True:
            step = self._attempt(is_last=True)
            if step is _Step.IDLE:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if step is _Step.STUCK:
                backoff.pause(never, limit=left)
            else:
                backoff.reset()

    def pending(self) -> int:
        """Return how many notification ids lie behind the position: the outbox's lag."""
        newest = self._recorder.max_notification_id() or 0
        return max(0, newest - self._positions.of(self._bus.topic()))

    def _rest(self, stop: threading.Event) -> None:
        """Wait for a wake-up, or for the time of the next look; in steps, to see `stop`."""
        until = time.monotonic() + self._poll
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._woken.wait(min(left, _SEE_STOP_WITHIN)):
                return

    def _attempt(self, *, is_last: bool = False) -> _Step:
        try:
            with self._lock:
                return self._step(is_last=is_last)
        except ENDPOINT_TROUBLE as error:
            log.warning("relay_waits", error=str(error))
        except Exception:
            # Whatever it was - database, bug - a relay that ends would leave its service
            # silent for good; this one complains and goes on.
            log.exception("relay_failed")
        return _Step.STUCK

    def _step(self, *, is_last: bool) -> _Step:
        max_age = 0.0 if is_last else self._still_there
        topic = self._bus.topic()
        notifications = self._recorder.select_notifications(
            start=self._positions.of(topic), limit=WINDOW, inclusive_of_start=False
        )
        if notifications:
            confirmed = self._publisher.publish([one.state for one in notifications])
            # 1. SNS has confirmed; 2. it is still the topic whose position this is; 3. only then
            # move. Should it have been made anew since the last look, the next one finds that
            # out, and these events, and all before them, are said again to the new one.
            if not confirmed or not self._bus.is_current(topic, max_age=max_age):
                return _Step.STUCK
            position = notifications[confirmed - 1].id
            self._positions.move(topic, position)
            if self._on_progress is not None:
                self._on_progress(position)
            if confirmed < len(notifications):
                return _Step.STUCK
            if confirmed == WINDOW or is_last:
                return _Step.MOVED
        elif not self._bus.is_current(topic, max_age=max_age):
            # A topic that was lost and made anew by somebody else would go unnoticed as long
            # as nothing new happens here.
            return _Step.MOVED
        if is_last:
            self._positions.save()
        return _Step.IDLE
