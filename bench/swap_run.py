"""Swaps as the benchmark measures them, in a process of its own."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Iterator

from chronicle_contracts import encode
from django.db import connection
from portal.eventlog.inbox import Arrival, Inbox
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.verification import Counts, differences
from portal.replay.building import rebuild
from portal.replay.records import Call
from portal.replay.swapping import rollback, swap

from bench.histories import side_by_side
from bench.ingest_run import Row
from bench.long_logs import fill

EVENTS = 200_000
A_SECOND = 100
AT_ONCE = 10
SWAPS = 8


class Background(threading.Thread):
    """Work that goes on beside the swaps, with a connection of its own."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.done = 0
        self.errors: list[Exception] = []

    def run(self) -> None:
        """Go on until it is over."""
        began = time.monotonic()
        try:
            for number in itertools.count():
                if self.over.is_set():
                    return
                try:
                    self.act()
                    self.done += 1
                except Exception as error:  # noqa: BLE001 (counted)
                    self.errors.append(error)
                due = began + (number + 1) * self.every()
                self.over.wait(max(0.0, due - time.monotonic()))
        finally:
            connection.close()

    def every(self) -> float:
        """Return the seconds from one act to the next."""
        return AT_ONCE / A_SECOND

    def act(self) -> None:
        """Do it once."""
        raise NotImplementedError


class Traffic(Background):
    """A hundred events a second through the inbox."""

    def __init__(self) -> None:
        super().__init__()
        self._events = side_by_side(1_000_000, name="meanwhile")

    def act(self) -> None:
        """Take in the next ones."""
        events = itertools.islice(self._events, AT_ONCE)
        Inbox(refold).receive([Arrival(encode(event).decode()) for event in events])


class Reader(Background):
    """Somebody who looks at the first page of jobs again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0

    def every(self) -> float:
        """A look every 5 ms."""
        return 0.005

    def act(self) -> None:
        """Look."""
        began = time.monotonic()
        page = list(Job.objects.defer("timeline")[:50])
        self.longest = max(self.longest, time.monotonic() - began)
        if len(page) < 50:
            raise RuntimeError(f"a page of {len(page)} jobs")


def swaps() -> Iterator[Row]:
    """Rebuild once, then swap and roll back, while events arrive and somebody reads."""
    fill(EVENTS)
    rebuild(Call(by="benchmark"))
    swap(Call(by="benchmark"))
    traffic, reader = Traffic(), Reader()
    began = time.monotonic()
    for thread in (traffic, reader):
        thread.start()
    time.sleep(2)
    rebuilt = time.monotonic()
    rebuild(Call(by="benchmark"), fresh=True)
    rebuilt = time.monotonic() - rebuilt
    held = []
    for verb in (swap, *itertools.repeat(rollback, SWAPS - 1)):
        time.sleep(0.5)
        held.append(verb(Call(by="benchmark")).counts["milliseconds under the lock"])
    seconds = time.monotonic() - began
    for thread in (traffic, reader):
        thread.over.set()
        thread.join(60)
    if traffic.errors:
        raise traffic.errors[0]
    differing = Counts()
    list(differences(differing))
    anew = rebuild(Call(by="benchmark"), fresh=True).counts
    yield {
        "events": EVENTS,
        "events a second meanwhile": round(traffic.done * AT_ONCE / seconds),
        "rebuild s": round(rebuilt, 2),
        "swaps": len(held),
        "lock ms, median": statistics.median(held),
        "lock ms, longest": max(held),
        "reads": reader.done,
        "bad reads": len(reader.errors),
        "longest read ms": round(reader.longest * 1000, 1),
        "rows that differ": differing.differing
        + sum(anew[name] for name in ("added", "removed", "changed")),
    }
