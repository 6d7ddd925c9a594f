"""Consuming a queue one message at a time: groups side by side, each group in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from chronicle_contracts import Event, Ignore, MalformedEvent, Quarantine, Retry

from chronicle_messaging.backoff import Backoff
from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.lease import Lease
from chronicle_messaging.message import Message
from chronicle_messaging.queue import MOST_AT_ONCE, Queue

log = structlog.get_logger(__name__)

# Seconds of a long poll. Longer would be cheaper by cents and make every shutdown as long.
WAIT = 2
# Seconds until a failed message comes again, by how often it was received; a handler's own
# `Retry(delay=...)` goes before it.
DELAYS = (5.0, 30.0)


def delay_of(retry: Retry, message: Message, delays: Sequence[float]) -> float:
    """Return after how many seconds a message is to come again."""
    if retry.delay is not None:
        return retry.delay
    return delays[min(message.receive_count, len(delays)) - 1]


class MessageConsumer:
    """Hands each message to `handle` and deletes it only after that has succeeded.

    What `handle` raises decides otherwise: `Retry` leaves the message for later, `Ignore`
    deletes it, `Quarantine` moves it to the dead-letter queue with its reason; any other
    exception counts as `Retry` and is logged with its traceback. After a message that is to
    come again, the later ones of its group wait for it - unless it has been received for the
    last time: then the queue gives it up, and the group goes on without it.

    While a handler runs its message stays hidden from other consumers.
    """

    def __init__(
        self,
        queue: Queue,
        handle: Callable[[Message], None],
        *,
        workers: int = 8,
        wait: int = WAIT,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._wait = wait
        self._delays = tuple(delays)
        self._workers = workers
        self._free = workers
        self._changed = threading.Condition()

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; then finish what runs and give back the rest."""
        backoff = Backoff()
        with (
            Lease(self._queue) as lease,
            ThreadPoolExecutor(self._workers, thread_name_prefix=self._queue.name) as pool,
        ):
            while not stop.is_set():
                # Not more than can be begun at once: what waits here would be kept from
                # another consumer that is idle.
                free = self._await_free(stop)
                try:
                    messages = (
                        self._queue.receive(min(free, MOST_AT_ONCE), wait=self._wait)
                        if free
                        else []
                    )
                except ENDPOINT_TROUBLE as error:
                    log.warning("receive_failed", queue=self._queue.name, error=str(error))
                    backoff.pause(stop)
                    continue
                backoff.reset()
                lease.take(messages)
                for lane in lanes(messages):
                    with self._changed:
                        self._free -= 1
                    pool.submit(self._work, lane, lease, stop)

    def _await_free(self, stop: threading.Event) -> int:
        with self._changed:
            # In steps, to see `stop`: a handler may run for long.
            while not self._free and not stop.is_set():
                self._changed.wait(0.2)
            return self._free

    def _work(self, lane: Sequence[Message], lease: Lease, stop: threading.Event) -> None:
        try:
            for index, message in enumerate(lane):
                if stop.is_set():
                    self._give_back(lane[index:], lease)
                    return
                retry = self._attempt(message, lease)
                if retry is None:
                    continue
                last = message.receive_count >= self._queue.max_receives
                if not last:
                    self._give_back(lane[index + 1 :], lease)
                self._postpone(message, retry, lease)
                if not last:
                    return
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _attempt(self, message: Message, lease: Lease) -> Retry | None:
        """Handle a message; return None when it is done with."""
        with structlog.contextvars.bound_contextvars(
            queue=self._queue.name, message_id=message.message_id
        ):
            try:
                quarantine = self._verdict(message)
                if quarantine is not None:
                    self._queue.quarantine(message, quarantine)
                    log.warning("message_quarantined", reason=quarantine)
                    lease.drop([message])
                    return None
            except Retry as retry:
                log.info("message_retried", reason=str(retry), receives=message.receive_count)
                return retry
            except Exception as error:
                log.exception("message_failed", receives=message.receive_count)
                return Retry(str(error))
            # Dropped first, so that the lease does not ask for a message that is gone.
            lease.drop([message])
            try:
                self._queue.delete([message])
            except ENDPOINT_TROUBLE as error:
                log.warning("message_not_deleted", error=str(error))
            return None

    def _verdict(self, message: Message) -> str | None:
        """Return why the message must be put aside, or None."""
        try:
            self._handle(message)
        except Ignore as ignored:
            log.info("message_ignored", reason=str(ignored))
        except Quarantine as quarantine:
            return str(quarantine)
        return None

    def _postpone(self, message: Message, retry: Retry, lease: Lease) -> None:
        lease.drop([message])
        self._hide([message], delay_of(retry, message, self._delays))

    def _give_back(self, messages: Sequence[Message], lease: Lease) -> None:
        lease.drop(messages)
        self._hide(messages, 0)

    def _hide(self, messages: Sequence[Message], seconds: float) -> None:
        try:
            self._queue.change_visibility(messages, seconds)
        except ENDPOINT_TROUBLE as error:
            # They come again when their visibility timeout is over.
            log.warning("messages_not_given_back", queue=self._queue.name, error=str(error))


class Consumer(MessageConsumer):
    """Hands each event to `handle`, in its newest version; what cannot be read is quarantined."""

    def __init__(
        self,
        queue: Queue,
        handle: Callable[[Event], None],
        *,
        workers: int = 8,
        wait: int = WAIT,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        super().__init__(queue, reading(handle), workers=workers, wait=wait, delays=delays)


def reading(handle: Callable[[Event], None]) -> Callable[[Message], None]:
    """Make a handler of events one of messages; it raises `Quarantine` on what is no event."""

    def read_and_handle(message: Message) -> None:
        try:
            event = message.event()
        except MalformedEvent as error:
            raise Quarantine(str(error)) from error
        with structlog.contextvars.bound_contextvars(
            job_id=event.subject,
            event_id=str(event.id),
            event_type=event.type,
            correlation_id=event.correlationid,
        ):
            handle(event)

    return read_and_handle


def lanes(messages: Iterable[Message]) -> list[list[Message]]:
    """Return messages by group, in order; without a group, each for itself."""
    by_group: dict[str, list[Message]] = {}
    for message in messages:
        by_group.setdefault(message.group or message.message_id, []).append(message)
    return list(by_group.values())
