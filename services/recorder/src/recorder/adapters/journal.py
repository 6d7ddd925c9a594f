"""The runs' events in a SQLite file of the work folder, and their way to the topic."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog
from chronicle_contracts import UPCASTERS, Event
from chronicle_contracts.naming import recorder_stream, run_id
from chronicle_eventstore import (
    EventStore,
    Recorded,
    StoreUnwritable,
    open_store,
    sqlite_environment,
)
from eventsourcing.persistence import PersistenceError

from recorder.domain.run import Run
from recorder.ports import Clock

log = structlog.get_logger(__name__)

SAVE_AGAIN = 0.5  # seconds


class Notes(Protocol):
    """What is known of runs whose events were lost with their machine."""

    def recall(self) -> Mapping[int, Sequence[Event]]:
        """Return the events of earlier attempts, by attempt; not all heartbeats are among them."""

    def hear(self, events: Sequence[Event]) -> None:
        """Take what the current run says."""


class RelayLike(Protocol):
    """What publishes a store's events: `chronicle_messaging.Relay`."""

    def run(self, stop: threading.Event) -> None:
        """Publish until told to stop."""

    def wake(self) -> None:
        """Something was saved."""

    def drain(self, timeout: float) -> bool:
        """Publish the rest."""


def open_events(work_dir: Path) -> EventStore:
    """Open the event store that all attempts of a job share; raises `StoreUnwritable`."""
    path = work_dir / "events.sqlite"
    try:
        return open_store(sqlite_environment(str(path)))
    except (sqlite3.OperationalError, PersistenceError) as error:
        raise StoreUnwritable(f"{path} cannot be written: {error}; is the disk full?") from error


class StoredJournal:
    """Implements `ports.Journal`; the recording never waits for the relay."""

    def __init__(
        self,
        events: EventStore,
        relay: RelayLike,
        clock: Clock,
        notes: Notes,
        *,
        job_id: str,
        attempt: int,
    ) -> None:
        self._events = events
        self._notes = notes
        self._earlier: list[Run] | None = None
        self._waiting: Run | None = None  # has said what could not be saved yet
        self._relay = relay
        self._clock = clock
        self._job_id = job_id
        self._attempt = attempt
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=relay.run, args=(self._stop,), name="relay", daemon=True
        )
        self._thread.start()

    def earlier(self) -> Sequence[Run]:
        """Return the runs of earlier attempts that said something, here or in their notes."""
        if self._earlier is None:
            streams = self._streams()[:-1]
            found = [self._events.find(Run, stream) for stream in streams]
            recalled = self._notes.recall() if None in found else {}
            runs = (
                run or self._recalled(stream, recalled.get(attempt, ()))
                for attempt, (stream, run) in enumerate(zip(streams, found, strict=True), start=1)
            )
            self._earlier = [run for run in runs if run is not None]
        return self._earlier

    def _recalled(self, stream: str, events: Sequence[Event]) -> Run | None:
        """Return a run as its notes tell of it; nothing can be added to it."""
        if not events:
            return None
        last = max(event.time for event in events)
        run = Run.at_stream(stream, self._job_id, last)
        for event in sorted(events, key=lambda one: one.sequence):
            run.evolve(UPCASTERS.lift(event))
        return run

    def last_word(self) -> datetime | None:
        """Return the time of the newest event of an earlier run."""
        return max((run.modified_on for run in self.earlier()), default=None)

    def run(self) -> Run:
        """Return the current run, as it is stored."""
        return self._events.get(Run, self._streams()[-1], job_id=self._job_id, at=self._clock.now())

    def save(self, run: Run) -> None:
        """Append what is new; where the disk is full, that waits for the next time."""
        if not run.pending_events:
            return
        said = [one.event for one in run.pending_events if isinstance(one, Recorded)]
        was_waiting, self._waiting = self._waiting, run
        try:
            self._events.append(run)
        except StoreUnwritable as error:
            if was_waiting is None:
                log.warning("events_wait", error=str(error))
            return
        self._waiting = None
        self._notes.hear(said)
        self._relay.wake()

    def lines(self) -> bytes:
        """Return the events as they were stored and published."""
        return b"".join(
            stored.state + b"\n"
            for stream in self._streams()
            for stored in self._events.recorder.select_events(stream)
        )

    def drain(self, timeout: float) -> bool:
        """Save what waits; let the relay's thread end and publish the rest from here."""
        deadline = time.monotonic() + timeout
        while self._waiting is not None and time.monotonic() < deadline:
            self.save(self._waiting)
            self._stop.wait(SAVE_AGAIN)
        is_saved = self._waiting is None
        self._stop.set()
        self._relay.wake()
        self._thread.join(timeout)
        return self._relay.drain(max(0.0, deadline - time.monotonic())) and is_saved

    def _streams(self) -> list[str]:
        attempts = range(1, self._attempt + 1)
        return [recorder_stream(run_id(self._job_id, attempt)) for attempt in attempts]
