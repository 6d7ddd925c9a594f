"""Looks at the past as the benchmark measures them, in a process of its own."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from chronicle_contracts import decode
from chronicle_eventstore import Recorded
from portal.eventlog import history
from portal.eventlog.models import LoggedEvent
from portal.eventlog.recorder import OrmRecorder
from portal.eventlog.store import portal_store
from portal.jobs.changes import changes_of
from portal.jobs.order import canonical
from portal.jobs.projection import fold
from portal.replay.past import as_of

from bench.ingest_run import Row
from bench.long_logs import LongStory, fill, keep
from tests.fixtures.story import NOON

JOB = "the-long-one"
EVENTS = 5_000
AROUND = 50_000  # events of other jobs in the same log
LOOKS = 40


def moments() -> Iterator[Row]:
    """Look at the same moments in every way."""
    fill(AROUND)
    keep(_long_job())
    rows = list(
        LoggedEvent.objects.filter(job_id=JOB).order_by("position").only("position", "occurred_at")
    )
    chosen = random.Random(5).choices(rows[10:], k=LOOKS)
    positions = [row.position for row in chosen]
    times = [row.occurred_at for row in chosen]
    yield _timed("as known at a position", lambda at: as_of(JOB, position=at), positions)
    yield _timed("as it truly was at a time", lambda at: as_of(JOB, time=at), times)
    yield _timed("peer: fold every event before it", _fold_all, positions)
    stream, versions = _in_event_store()
    yield _timed(
        "peer: eventsourcing, events up to a version",
        lambda version: _versions(stream, version),
        versions,
    )
    yield _timed("the whole history with what each event changed", changes_of, [JOB] * 5)


def _long_job() -> list[tuple[object, ...]]:
    story = LongStory(JOB, NOON)
    story.requested().accepted().launched().recording(heartbeats=0)
    story.beat(EVENTS // 2)
    story.gap()
    story.beat(EVENTS // 2 - 12, before=EVENTS * 2.5)
    story.ended().uploaded().seeded()
    return story.told()


def _timed(what: str, look: Callable[..., object], moments: Sequence[object]) -> Row:
    took = []
    for moment in moments:
        began = time.perf_counter()
        look(moment)
        took.append((time.perf_counter() - began) * 1000)
    return {
        "what": what,
        "events of the job": EVENTS,
        "looks": len(took),
        "median ms": round(statistics.median(took), 2),
        "longest ms": round(max(took), 2),
    }


def _fold_all(position: int) -> None:
    state = None
    for entry in canonical(history.of_job(JOB, until_position=position)):
        state = fold(state, entry.event, position=entry.position)


def _in_event_store() -> tuple[str, list[int]]:
    """Put the run's stream into the library's store; return its name and versions to look at."""
    rows = LoggedEvent.objects.filter(stream=f"recorder/{JOB}.1").order_by("sequence")
    events = [decode(envelope) for envelope in rows.values_list("envelope", flat=True)]
    mapper = portal_store().mapper
    OrmRecorder().insert_events([mapper.to_stored_event(Recorded.of(one)) for one in events])
    return events[0].stream, random.Random(6).choices(range(10, len(events)), k=LOOKS)


def _versions(stream: str, version: int) -> None:
    state = None
    for recorded in portal_store().events.get(stream, lte=version):
        state = fold(state, recorded.event)  # type: ignore[attr-defined]
