"""The cast of these tests: jobs, the events that are said about them, patience."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

from chronicle_contracts import Event, Fact
from chronicle_contracts.portal import JobRequested, StopRequested
from chronicle_contracts.recorder import Checksum, Completeness, Heartbeat, Uploaded
from chronicle_eventstore import Aggregate, EventStore
from chronicle_messaging import Message, Queue

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)

REQUESTED = JobRequested(url="https://example.org/a.m3u8", key="recordings/a.mkv", filename="a")
STOPPED = StopRequested()
UPLOADED = Uploaded(
    run_id="concert.1",
    attempt=1,
    key="recordings/a.mkv",
    size=1,
    checksum=Checksum(algorithm="sha256", value="00"),
    duration=1.0,
    completeness=Completeness(score=1.0, missing_seconds=0.0, verified=True),
)


def beat(seconds: float = 1.0) -> Heartbeat:
    """A heartbeat at a media time."""
    return Heartbeat(
        run_id="concert.1",
        attempt=1,
        phase="RECORDING",
        bytes_recorded=0,
        bytes_durable=0,
        media_seconds=seconds,
    )


def event(job: str, sequence: int, fact: Fact | None = None, *, at: datetime = NOON) -> Event:
    """An event of a job; two calls with the same place give the same id."""
    return Event.of(
        fact or beat(sequence),
        source="/test",
        job_id=job,
        stream=f"test/{job}",
        sequence=sequence,
        time=at,
    )


class Diary(Aggregate):
    """An aggregate that records whatever it is told."""

    SOURCE = "/test"

    def begin(self):
        """Nothing to remember."""

    @singledispatchmethod
    def apply(self, fact: Fact):
        """Nothing to remember."""


def write(
    store: EventStore, job: str, entries: int = 1, *, at: datetime | None = None
) -> list[Event]:
    """Save some events of a job, each in a transaction of its own."""
    moment = at or datetime.now(UTC)
    written = []
    for _ in range(entries):
        diary = store.get(Diary, f"test/{job}", job_id=job, at=moment)
        diary.record(beat(diary.version + 1), at=moment)
        written += store.append(diary)
    return written


def until(condition: Callable[[], Any], *, within: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come about."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s")
        time.sleep(0.02)


def take(queue: Queue, count: int, *, within: float = 60.0) -> list[Message]:
    """Receive and delete so many messages."""
    taken: list[Message] = []
    deadline = time.monotonic() + within
    while len(taken) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(taken)} of {count} messages within {within} s")
        received = queue.receive(min(10, count - len(taken)), wait=1)
        queue.delete(received)
        taken += received
    return taken


def sequences(messages: list[Message], job: str) -> list[int]:
    """The sequence numbers of a job's events, as they came."""
    return [one.event().sequence for one in messages if one.group == job]


def topology_with(path: Path, source: Path, **changes: Any) -> Path:
    """Write a topology that differs from the real one in every queue."""
    topology = json.loads(source.read_text())
    for queue in topology["queues"].values():
        queue.update(changes)
    path.write_text(json.dumps(topology))
    return path
