"""What the benchmark of ingest measures, in processes of `bench.child`."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from chronicle_contracts import Outcome, encode
from chronicle_messaging import BatchConsumer, Bus, Message, Queue
from portal.configuration import PortalSettings
from portal.eventlog.inbox import Arrival, Inbox
from portal.jobs.ingestion import Ingestion
from portal.jobs.readmodel import refold

from bench.histories import side_by_side
from bench.report import Figure

COMMITS = (10, 100, 500)
# Events for each size of a commit: some seconds of work.
EVENTS = {10: 4_000, 100: 10_000, 500: 25_000}
QUEUED = 6_000

Row = dict[str, Figure]
Handle = Callable[[Sequence[Message]], Mapping[str, Outcome] | None]


def inbox() -> Iterator[Row]:
    """The inbox alone: prepared messages, nothing between them and it."""
    _take(bodies(500, "warm-up"), 100)
    for most in COMMITS:
        prepared = bodies(EVENTS[most], f"inbox-{most}")
        began = time.perf_counter()
        _take(prepared, most)
        yield rate(f"inbox alone, {most} a commit", len(prepared), began)


def queue() -> Iterator[Row]:
    """From the portal's queue at the local endpoint, as the ingest process does it."""
    _take(bodies(500, "warm-up"), 100)
    bus = Bus.connect(PortalSettings())
    portal = bus.queue("portal")
    _fill(bus, portal, bodies(QUEUED, "limit"))
    yield _drained(portal, "limit: the queue alone, nothing done", lambda _: None, most=500)
    for most in COMMITS:
        _fill(bus, portal, bodies(QUEUED, f"queue-{most}"))
        handle = Ingestion(Inbox(refold), threading.Event()).handle
        yield _drained(portal, f"from SQS, {most} a commit", handle, most=most)


def rate(what: str, events: int, began: float) -> Row:
    """Return a row: so many events since then."""
    seconds = time.perf_counter() - began
    return {
        "what": what,
        "events": events,
        "seconds": round(seconds, 2),
        "a second": round(events / seconds),
    }


def bodies(number: int, name: str) -> list[str]:
    """Return messages as they come from the queue."""
    return [encode(event).decode() for event in side_by_side(number, name=name)]


def _take(prepared: Sequence[str], most: int) -> None:
    taken = Inbox(refold)
    for start in range(0, len(prepared), most):
        taken.receive([Arrival(body) for body in prepared[start : start + most]])


def _fill(bus: Bus, target: Queue, prepared: Sequence[str]) -> None:
    """Put messages into the queue straight, each job a group of its own."""
    for start in range(0, len(prepared), 10):
        entries = []
        for index, body in enumerate(prepared[start : start + 10]):
            event = json.loads(body)
            entries.append(
                {
                    "Id": str(index),
                    "MessageBody": body,
                    "MessageGroupId": event["subject"],
                    "MessageDeduplicationId": event["id"],
                }
            )
        bus.clients.sqs.send_message_batch(QueueUrl=bus.url(target.name), Entries=entries)


def _drained(target: Queue, what: str, handle: Handle, *, most: int) -> Row:
    """Consume until everything was handled and the last batch is deleted."""
    stop = threading.Event()
    seen = 0

    def count(messages: Sequence[Message]) -> Mapping[str, Outcome] | None:
        nonlocal seen
        outcomes = handle(messages)
        seen += len(messages)
        if seen >= QUEUED:
            stop.set()
        return outcomes

    began = time.perf_counter()
    BatchConsumer(target, count, most=most, wait=1).run(stop)
    return rate(what, QUEUED, began)
