"""Swaps as the benchmark measures them; ingest and a reader are processes beside, as in life."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator

from chronicle_contracts import encode
from portal.eventlog.inbox import Arrival, Inbox
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.verification import Counts, differences
from portal.replay.building import rebuild
from portal.replay.records import Call
from portal.replay.swapping import rollback, swap

from bench.beside import Beside, Paced
from bench.histories import side_by_side
from bench.ingest_run import Row
from bench.long_logs import fill

EVENTS = 200_000
A_SECOND = 100
AT_ONCE = 10
SWAPS = 8


def traffic() -> Iterator[Row]:
    """A hundred events a second through the inbox, as the process of ingest does it."""
    events = side_by_side(1_000_000, name="meanwhile")
    inbox = Inbox(refold)

    def take() -> None:
        batch = itertools.islice(events, AT_ONCE)
        inbox.receive([Arrival(encode(event).decode()) for event in batch])

    yield {}
    paced = Paced(take, every=AT_ONCE / A_SECOND)
    if paced.errors:
        raise paced.errors[0]
    yield {"a second": round(paced.done * AT_ONCE / paced.seconds)}


def reader() -> Iterator[Row]:
    """Somebody who looks at the first page of jobs again and again, every 5 ms."""
    longest = 0.0

    def look() -> None:
        nonlocal longest
        began = time.monotonic()
        page = list(Job.objects.defer("timeline")[:50])
        longest = max(longest, time.monotonic() - began)
        if len(page) < 50:
            raise RuntimeError(f"a page of {len(page)} jobs")

    yield {}
    paced = Paced(look, every=0.005)
    yield {
        "reads": paced.done,
        "bad reads": len(paced.errors),
        "longest read ms": round(longest * 1000, 1),
    }


def swaps() -> Iterator[Row]:
    """Rebuild once, then swap and roll back, while events arrive and somebody reads."""
    fill(EVENTS)
    rebuild(Call(by="benchmark"))
    swap(Call(by="benchmark"))
    with Beside("swap_run", "traffic") as coming, Beside("swap_run", "reader") as reading:
        time.sleep(2)
        rebuilt = time.monotonic()
        rebuild(Call(by="benchmark"), fresh=True)
        rebuilt = time.monotonic() - rebuilt
        held, stretch = [], []
        for verb in (swap, *itertools.repeat(rollback, SWAPS - 1)):
            time.sleep(0.5)
            counts = verb(Call(by="benchmark")).counts
            held.append(counts["milliseconds under the lock"])
            stretch.append(counts["folded under the lock"])
        came, read = coming.ended(), reading.ended()
    differing = Counts()
    list(differences(differing))
    anew = rebuild(Call(by="benchmark"), fresh=True).counts
    yield {
        "events": EVENTS,
        "events a second meanwhile": came["a second"],
        "rebuild s": round(rebuilt, 2),
        "swaps": len(held),
        "lock ms, median": statistics.median(held),
        "lock ms, longest": max(held),
        "jobs folded under it, most": max(stretch),
        **read,
        "rows that differ": differing.differing
        + sum(anew[name] for name in ("added", "removed", "changed")),
    }
