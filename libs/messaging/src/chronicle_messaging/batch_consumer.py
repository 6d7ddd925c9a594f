"""Consuming a queue many messages at a time, for a reader that commits them together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import structlog
from chronicle_contracts import Ignore, Outcome, Quarantine, Retry

from chronicle_messaging.backoff import Backoff
from chronicle_messaging.consumer import DELAYS, WAIT, delay_of
from chronicle_messaging.errors import ENDPOINT_TROUBLE
from chronicle_messaging.intake import Intake
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
        """Consume until `stop` is set; a batch that was begun is finished, others given back.

        1. Receivers bring messages in, one batch ahead; 2. a batch is handled here; 3. it is
        deleted while the next one is handled.
        """
        failing = Backoff(longest=30.0)
        settling: Future[None] | None = None
        with (
            Lease(self._queue) as lease,
            ThreadPoolExecutor(_DELETERS, thread_name_prefix=self._queue.name) as deleters,
            ThreadPoolExecutor(1, thread_name_prefix=f"settle-{self._queue.name}") as settler,
        ):
            intake = Intake(self._queue, lease, stop, room=self._most, wait=self._wait)
            with intake:
                while not stop.is_set():
                    batch = intake.batch(self._most, linger=self._linger)
                    if stop.is_set():
                        self._give_back(batch, lease)
                        break
                    outcomes = self._decide(batch)
                    if settling is not None:
                        settling.result()  # not more than one batch ahead of the queue
                    settling = settler.submit(self._settle, batch, outcomes, lease, deleters)
                    if all(isinstance(outcomes.get(one.message_id), Retry) for one in batch):
                        # Nothing goes now. Taking more would only use up its receives.
                        failing.pause(stop)
                    else:
                        failing.reset()
            self._give_back(intake.left(), lease)

    def _give_back(self, messages: Sequence[Message], lease: Lease) -> None:
        lease.drop(messages)
        try:
            self._queue.change_visibility(messages, 0)
        except ENDPOINT_TROUBLE as error:
            # They come again when their visibility timeout is over.
            log.warning("messages_not_given_back", queue=self._queue.name, error=str(error))

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
        deleters: ThreadPoolExecutor,
    ) -> None:
        lease.drop(batch)
        done = [one for one in batch if isinstance(outcomes.get(one.message_id), Ignore | None)]
        rest = [one for one in batch if isinstance(outcomes.get(one.message_id), Outcome)]
        chunks = [done[i : i + MOST_AT_ONCE] for i in range(0, len(done), MOST_AT_ONCE)]
        try:
            list(deleters.map(self._queue.delete, chunks))
            self._put_aside(rest, outcomes)
        except ENDPOINT_TROUBLE as error:
            # What was not deleted comes again.
            log.warning("batch_not_settled", queue=self._queue.name, error=str(error))

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
