"""Consuming a queue many messages at a time, for a reader that commits them together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from chronicle_contracts import Ignore, Outcome, Quarantine, Retry

from chronicle_messaging.backoff import Backoff
from chronicle_messaging.consumer import DELAYS, WAIT, delay_of
from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.lease import Lease
from chronicle_messaging.message import Message
from chronicle_messaging.queue import MOST_AT_ONCE, Queue

log = structlog.get_logger(__name__)

Handle = Callable[[Sequence[Message]], Mapping[str, Outcome] | None]

# So many first messages of a failed batch that fail alone as well: it is not the messages.
_ENOUGH = 3
_DELETERS = 4  # SQS deletes ten at a time; a batch of 500 should not wait for 50 calls in a row


class BatchConsumer:
    """Hands merged receives to `handle` and deletes them only after that has returned.

    `handle` gets up to `most` messages, those of a group in order, and returns what became of
    those that did not simply succeed, by message id (`Retry`, `Ignore`, `Quarantine`). When it
    raises, nothing of the batch was done; an exception that is no outcome makes each message be
    tried alone, so that one poison message does not take the others with it.

    `linger` is how long, in seconds, to wait for more once something is there.
    """

    def __init__(
        self,
        queue: Queue,
        handle: Handle,
        *,
        most: int = 500,
        linger: float = 0.05,
        wait: int = WAIT,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._most = most
        self._linger = linger
        self._wait = wait
        self._delays = tuple(delays)

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; a batch that was begun is finished, others given back."""
        backoff = Backoff()
        failing = Backoff(longest=30.0)
        with (
            Lease(self._queue) as lease,
            ThreadPoolExecutor(_DELETERS, thread_name_prefix=self._queue.name) as pool,
        ):
            while not stop.is_set():
                batch: list[Message] = []
                try:
                    self._collect(batch, lease, stop)
                    backoff.reset()
                except ENDPOINT_TROUBLE as error:
                    log.warning("receive_failed", queue=self._queue.name, error=str(error))
                    backoff.pause(stop)
                if not batch:
                    continue
                try:
                    if stop.is_set():
                        lease.drop(batch)
                        self._queue.change_visibility(batch, 0)
                        continue
                    outcomes = self._decide(batch)
                    self._settle(batch, outcomes, lease, pool)
                    if all(isinstance(outcomes.get(one.message_id), Retry) for one in batch):
                        # Nothing goes now. Taking more would only use up its receives.
                        failing.pause(stop)
                    else:
                        failing.reset()
                except ENDPOINT_TROUBLE as error:
                    # What was not deleted comes again.
                    log.warning("batch_not_settled", queue=self._queue.name, error=str(error))
                finally:
                    lease.drop(batch)

    def _collect(self, batch: list[Message], lease: Lease, stop: threading.Event) -> None:
        """Fill the batch; messages are in it even when a later receive fails."""
        until = 0.0
        while len(batch) < self._most and not stop.is_set():
            received = self._queue.receive(
                min(MOST_AT_ONCE, self._most - len(batch)), wait=0 if batch else self._wait
            )
            lease.take(received)
            batch.extend(received)
            if not batch:
                return
            until = until or time.monotonic() + self._linger
            if len(received) < MOST_AT_ONCE:
                # The queue holds no backlog now: linger, but do not ask in a tight circle.
                if time.monotonic() >= until:
                    return
                stop.wait(self._linger / 5)

    def _decide(self, batch: Sequence[Message]) -> dict[str, Outcome]:
        try:
            return dict(self._handle(batch) or {})
        except Outcome as outcome:
            return {one.message_id: outcome for one in batch}
        except Exception as error:
            log.exception("batch_failed", queue=self._queue.name, messages=len(batch))
            if len(batch) == 1:
                return {batch[0].message_id: Retry(str(error))}
        return self._one_by_one(batch)

    def _one_by_one(self, batch: Sequence[Message]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        blocked: set[str] = set()
        tried = failed = 0
        for message in batch:
            if message.group and message.group in blocked:
                # Behind a failed one of its group; it is given back untouched.
                outcomes[message.message_id] = Retry("an earlier one failed", delay=0)
                continue
            if tried == failed >= _ENOUGH:
                outcomes[message.message_id] = Retry("nothing of this batch can be handled now")
                continue
            outcomes.update(self._decide([message]))
            tried += 1
            if isinstance(outcomes.get(message.message_id), Retry):
                failed += 1
                if message.receive_count < self._queue.max_receives:
                    blocked.add(message.group)
        return outcomes

    def _settle(
        self,
        batch: Sequence[Message],
        outcomes: Mapping[str, Outcome],
        lease: Lease,
        pool: ThreadPoolExecutor,
    ) -> None:
        lease.drop(batch)
        done = [one for one in batch if isinstance(outcomes.get(one.message_id), Ignore | None)]
        rest = [one for one in batch if isinstance(outcomes.get(one.message_id), Outcome)]
        chunks = [done[i : i + MOST_AT_ONCE] for i in range(0, len(done), MOST_AT_ONCE)]
        list(pool.map(self._queue.delete, chunks))
        self._put_aside(rest, outcomes)

    def _put_aside(self, messages: Iterable[Message], outcomes: Mapping[str, Outcome]) -> None:
        by_delay: dict[float, list[Message]] = {}
        for message in messages:
            outcome = outcomes[message.message_id]
            if isinstance(outcome, Quarantine):
                self._queue.quarantine(message, str(outcome))
                log.warning(
                    "message_quarantined",
                    queue=self._queue.name,
                    message_id=message.message_id,
                    reason=str(outcome),
                )
            elif isinstance(outcome, Retry):
                delay = delay_of(outcome, message, self._delays)
                by_delay.setdefault(delay, []).append(message)
        for delay, some in by_delay.items():
            log.info("messages_retried", queue=self._queue.name, messages=len(some), delay=delay)
            self._queue.change_visibility(some, delay)
