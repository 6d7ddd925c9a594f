"""Long logs for benchmarks, put straight into the portal's tables: what an inbox would have kept.

Jobs record side by side, a hundred at a time; each has 50 to 500 events, most of them heartbeats.
Most go well in one attempt, some lose a recorder and go on, some fail or are rejected.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chronicle_contracts import Event, encode, event_id
from chronicle_contracts import dispatcher as d
from django.db import connection, transaction
from portal.eventlog.progress import PROGRESS_TYPES

from tests.fixtures.story import NOON, Story

SIDE_BY_SIDE = 100
AT_ONCE = 5_000
_COLUMNS = (
    *("event_id", "stream", "sequence", "job_id", "type", "source", "occurred_at"),
    *("received_at", "sealed", "progress", "envelope"),
)

Line = tuple[Any, ...]


class LongStory(Story):
    """A story whose heartbeats are written without a model each: they are nine of ten events."""

    def __init__(self, job_id: str, at: datetime) -> None:
        super().__init__(job_id, at=at)
        self.lines: list[Line] = []
        self._taken = 0

    def beat(self, times: int, *, before: float = 0.0) -> LongStory:
        """Let the run record on, five seconds a heartbeat."""
        if not times:
            return self
        first = self.heartbeat()
        document = json.loads(encode(first))
        self._take()
        stream = first.stream
        for count in range(1, times):
            self.now += timedelta(seconds=5)
            self._sequences[stream] += 1
            sequence = self._sequences[stream]
            media = before + 5.0 * count
            document["id"] = str(event_id(stream, sequence))
            document["sequence"] = sequence
            document["time"] = self.now.isoformat().replace("+00:00", "Z")
            document["data"] |= {
                "media_seconds": media,
                "bytes_recorded": int(media * 600_000),
                "bytes_durable": int(media * 580_000),
            }
            envelope = json.dumps(document, separators=(",", ":"))
            place = (event_id(stream, sequence), stream, sequence)
            self.lines.append(self._line(first, place, self.now, envelope))
        return self

    def told(self) -> list[Line]:
        """Return all lines in the order in which they were said."""
        self._take()
        return self.lines

    def _take(self) -> None:
        for event in self.events[self._taken :]:
            place = (event.id, event.stream, event.sequence)
            self.lines.append(self._line(event, place, event.time, encode(event).decode()))
        self._taken = len(self.events)

    def _line(self, event: Event, place: Line, at: datetime, envelope: str) -> Line:
        return (
            *(*place, self.job_id, event.type, event.source),
            *(at, at, bool(event.sealed), event.type in PROGRESS_TYPES, envelope),
        )


def job(job_id: str, chance: random.Random, at: datetime, *, heartbeats: bool = True) -> LongStory:
    """Return the story of one job."""
    beats = chance.randint(30, 480) if heartbeats else 0
    story = LongStory(job_id, at)
    story.requested()
    kind = chance.random()
    if kind < 0.05:
        story.tell(d.JobRejected(code="no_stream", detail="There is no stream at this address."))
        return story
    story.accepted().launched().recording(heartbeats=0)
    if kind < 0.15:
        story.beat(beats // 2)
        story.lost().launched().recording(heartbeats=0)
        story.beat(beats // 2, before=beats * 2.5)
        story.gap()
    else:
        story.beat(beats)
    if kind > 0.95:
        story.ended("failed").failed()
        story.tell(d.JobAbandoned(code="too_many", detail="It failed.", attempts=1))
        return story
    story.ended().uploaded().seeded()
    return story


def fill(events: int, *, seed: int = 1, name: str = "job", heartbeats: bool = True) -> int:
    """Put at least so many events into the log, of whole jobs; return how many it were."""
    return keep(_side_by_side(events, random.Random(seed), name, heartbeats))


def keep(lines: Iterable[Line]) -> int:
    """Put lines into the log in this order, as if the inbox had taken them; return how many."""
    written = 0
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        written += 1
        if len(batch) >= AT_ONCE:
            _insert("eventlog_loggedevent", _COLUMNS, batch)
            batch.clear()
    _insert("eventlog_loggedevent", _COLUMNS, batch)
    _cursors()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return written


def _side_by_side(
    events: int, chance: random.Random, name: str, heartbeats: bool
) -> Iterator[Line]:
    begun = told = 0
    each = 125 if heartbeats else 5  # what is still to come of a job that has begun, or so
    running: deque[deque[Line]] = deque()
    while running or told < events:
        if len(running) < SIDE_BY_SIDE and told + each * len(running) < events:
            at = NOON + timedelta(minutes=3 * begun)
            running.append(
                deque(job(f"{name}-{begun:07}", chance, at, heartbeats=heartbeats).told())
            )
            begun += 1
        lines = running.popleft()
        yield lines.popleft()
        told += 1
        if lines:
            running.append(lines)


def _cursors() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM eventlog_streamcursor")
        cursor.execute(
            "INSERT INTO eventlog_streamcursor"
            " (stream, job_id, contiguous, highest, sealed_at_sequence, ended_by)"
            " SELECT stream, min(job_id), max(sequence), max(sequence),"
            " max(CASE WHEN sealed THEN sequence END), '' FROM eventlog_loggedevent GROUP BY stream"
        )


def _insert(table: str, columns: tuple[str, ...], lines: list[Line]) -> None:
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
            return
        holders = ", ".join(["%s"] * len(columns))
        plain = [tuple(_for_sqlite(value) for value in line) for line in lines]
        with transaction.atomic():
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({holders})", plain)


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None))
    return value.hex if isinstance(value, UUID) else value
