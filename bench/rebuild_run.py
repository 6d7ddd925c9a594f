"""Rebuilds as the benchmark measures them, each step in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

from chronicle_contracts import decode
from chronicle_eventstore import Recorded
from django.db import transaction
from portal.eventlog import history
from portal.eventlog.models import LoggedEvent
from portal.eventlog.recorder import OrmRecorder
from portal.eventlog.store import portal_store
from portal.jobs.readmodel import known_jobs
from portal.projections.registry import PROJECTIONS
from portal.replay.building import rebuild
from portal.replay.records import Call
from portal.replay.swapping import swap

from bench.ingest_peers import fold_into_row, run_projection
from bench.ingest_run import Row
from bench.long_logs import fill

SMALL, LARGE = 200_000, 1_000_000
MILESTONES = 20_000
SAMPLE = 2_000


def milestones() -> Iterator[Row]:
    """Measure a log without progress, then leave an empty one."""
    fill(MILESTONES, name="terse", heartbeats=False)
    swap_in()
    yield measure("no progress in the log: every event read")
    LoggedEvent.objects.all().delete()
    swap_in()


def small() -> Iterator[Row]:
    """Fill the log, and let everybody read what it folds to."""
    fill(SMALL, name="first")
    swap_in()
    yield {}


def large() -> Iterator[Row]:
    """Fill it further."""
    fill(LARGE - LoggedEvent.objects.count(), seed=2, name="second")
    swap_in()
    yield {}


def measured() -> Iterator[Row]:
    """Rebuild; the process has done nothing before, so that its memory is the rebuild's."""
    size = SMALL if LoggedEvent.objects.count() < 2 * SMALL else LARGE
    yield measure(f"{size:,} events")


def measure(what: str) -> Row:
    """Rebuild everything anew; the tables that are read have the same rows already."""
    began, busy = time.perf_counter(), time.process_time()
    report = rebuild(Call(by="benchmark"), fresh=True)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    if report.left or any(report.counts[name] for name in ("added", "removed", "changed")):
        raise RuntimeError(f"the rebuild found something: {report.counts}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events, folded = LoggedEvent.objects.count(), _folded()
    return {
        "what": what,
        "events": events,
        "jobs": report.counts["folded"],
        "projections": len(PROJECTIONS),
        "seconds": round(seconds, 2),
        "CPU s": round(busy, 2),
        "events a second": round(events / seconds),
        "folded": folded,
        "folded a second": round(folded / seconds),
        "MiB": memory // 1024,
    }


def swap_in() -> None:
    """Build and swap, unmeasured."""
    rebuild(Call(by="benchmark"), fresh=True)
    swap(Call(by="benchmark"))


def peers() -> Iterator[Row]:
    """Measure the peers on the first events of the same log."""
    rows = LoggedEvent.objects.order_by("position").values_list("envelope", flat=True)[:SAMPLE]
    events = [decode(envelope) for envelope in rows]
    mapper = portal_store().mapper
    OrmRecorder().insert_events([mapper.to_stored_event(Recorded.of(one)) for one in events])
    began = time.perf_counter()
    run_projection()
    yield _peer("peer: ProjectionRunner, jobs alone", began)
    began = time.perf_counter()
    for envelope in rows.iterator():
        with transaction.atomic():
            fold_into_row(decode(envelope))
    yield _peer("peer: update_or_create, jobs alone", began)


def _peer(what: str, began: float) -> Row:
    seconds = time.perf_counter() - began
    return {
        "what": what,
        "events": SAMPLE,
        "projections": 1,
        "seconds": round(seconds, 2),
        "events a second": round(SAMPLE / seconds),
        "folded": SAMPLE,
        "folded a second": round(SAMPLE / seconds),
    }


def _folded() -> int:
    return sum(len(one) for jobs in known_jobs() for one in history.of_jobs(jobs).values())
