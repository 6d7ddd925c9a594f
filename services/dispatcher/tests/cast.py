"""Who plays in the dispatcher's tests: a job, its events, and the world without machines."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from chronicle_contracts import Event, Fact, Ignore, decode, naming
from chronicle_contracts.portal import JobRequested
from chronicle_contracts.recorder import (
    Checksum,
    Completeness,
    Heartbeat,
    RecordingEnded,
    RecordingFailed,
    RunFact,
    Uploaded,
)
from chronicle_eventstore import EventStore, open_store, sqlite_environment
from dispatcher.adapters.database import SqliteDatabase
from dispatcher.adapters.heard import SqlHeard
from dispatcher.adapters.inline import InlineExecutor
from dispatcher.adapters.looks import SqlLooks
from dispatcher.adapters.orders import SqlOrders
from dispatcher.adapters.places import SqlPlaces
from dispatcher.handlers import Dispatcher, Limits
from dispatcher.ports import Launch, LaunchError, Ports, Refused, Sight

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LATER = timedelta(days=1)
REQUEST = JobRequested(
    url="https://live.example/concert", key="recordings/2026/05/01/concert.mkv", filename="concert"
)
LIVE = Sight(title="The concert", site="example", live_status="live", protocol="hls")


def asked(fact: Fact, sequence: int = 1, job: str = "concert", at: datetime = NOON) -> Event:
    """The portal's event at a place of a job's stream."""
    return Event.of(
        fact,
        source="/portal",
        job_id=job,
        stream=naming.portal_stream(job),
        sequence=sequence,
        time=at,
    )


def said(fact: RunFact, sequence: int, *, job: str = "concert", sealed: bool = False) -> Event:
    """A run's event."""
    return Event.of(
        fact,
        source=f"/recorder/{fact.run_id}",
        job_id=job,
        stream=naming.recorder_stream(fact.run_id),
        sequence=sequence,
        time=NOON,
        sealed=sealed,
    )


def beat(
    media: float,
    sequence: int,
    *,
    attempt: int = 1,
    phase: str = "RECORDING",
    durable: int = 0,
    job: str = "concert",
) -> Event:
    fact = Heartbeat.model_validate(
        {
            "run_id": naming.run_id(job, attempt),
            "attempt": attempt,
            "phase": phase,
            "bytes_recorded": int(media * 1000),
            "bytes_durable": durable,
            "media_seconds": media,
        }
    )
    return said(fact, sequence, job=job)


def failed(code: str, *, attempt: int = 1, sequence: int = 9, job: str = "concert") -> Event:
    run_id = naming.run_id(job, attempt)
    fact = RecordingFailed(run_id=run_id, attempt=attempt, code=code, detail=f"It is {code}.")
    return said(fact, sequence, job=job, sealed=True)


def uploaded(*, attempt: int = 1, sequence: int = 9, job: str = "concert") -> Event:
    fact = Uploaded(
        run_id=naming.run_id(job, attempt),
        attempt=attempt,
        key=REQUEST.key,
        size=1000,
        checksum=Checksum(algorithm="sha256", value="00"),
        duration=60,
        completeness=Completeness(score=1.0, missing_seconds=0.0, verified=True),
    )
    return said(fact, sequence, job=job, sealed=True)


def discarded(*, attempt: int = 1, sequence: int = 9, job: str = "concert") -> Event:
    run_id = naming.run_id(job, attempt)
    fact = RecordingEnded(run_id=run_id, attempt=attempt, why="discarded", media_seconds=5)
    return said(fact, sequence, job=job, sealed=True)


T = TypeVar("T")


def until(condition: Callable[[], T], what: str, *, within: float = 60.0) -> T:
    """Wait for a condition and return what it found; fail when it does not come about."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {within} s"
        time.sleep(0.02)
    return found


class FakeClock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def go_on(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FakePreflight:
    """Sees what it is told to see: a `Sight`, or a `Refused`."""

    def __init__(self) -> None:
        self.sees: Sight | Refused = LIVE
        self.looks = 0

    def check(self, url: str) -> None:
        if isinstance(self.sees, Refused) and self.sees.code.startswith("forbidden"):
            raise self.sees

    def look(self, request: JobRequested) -> Sight:
        self.looks += 1
        if isinstance(self.sees, Refused):
            raise self.sees
        return self.sees


class FakeLauncher:
    """Recorders that are entries in a dict; a launch is idempotent by run, as it must be."""

    name = "fake"

    def __init__(self) -> None:
        self.started: list[Launch] = []
        self.alive: set[str] = set()
        self.controls: list[tuple[str, str | None, float | None]] = []
        self.killed: list[str] = []
        self.cleaned: list[str] = []
        self.broken = False
        self.free: int | None = None

    @property
    def runs(self) -> list[str]:
        return [launch.run_id for launch in self.started]

    def launch(self, launch: Launch) -> str:
        if self.broken:
            raise LaunchError("launch_failed", "There is no such program.")
        reference = f"ref-{launch.run_id}"
        if launch.run_id not in self.runs:
            self.started.append(launch)
            self.alive.add(reference)
        return reference

    def control(
        self, job_id: str, reference: str, *, stop: str | None, max_duration: float | None
    ) -> None:
        self.controls.append((reference, stop, max_duration))

    def is_alive(self, reference: str) -> bool:
        return reference in self.alive

    def free_disk(self) -> int | None:
        return self.free

    def kill(self, job_id: str, reference: str) -> None:
        self.killed.append(reference)
        self.alive.discard(reference)

    def clean(self, job_id: str) -> None:
        self.cleaned.append(job_id)

    def die(self, run_id: str) -> None:
        """The recorder's process ends."""
        self.alive.discard(f"ref-{run_id}")


class FakeSecrets:
    """Names of secrets, each with the time since when it is kept."""

    def __init__(self) -> None:
        self.names: dict[str, datetime] = {}

    def delete(self, name: str) -> None:
        self.names.pop(name, None)

    def kept(self) -> list[tuple[str, datetime]]:
        return list(self.names.items())


class FakeLink:
    """A line that is up since noon, or down."""

    def __init__(self) -> None:
        self.since: datetime | None = NOON

    def up_since(self) -> datetime | None:
        return self.since


@dataclass
class World:
    """A dispatcher over real stores in a folder, in a world that the test moves."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    clock: FakeClock = field(default_factory=FakeClock)
    preflight: FakePreflight = field(default_factory=FakePreflight)
    launcher: FakeLauncher = field(default_factory=FakeLauncher)
    link: FakeLink = field(default_factory=FakeLink)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    background: Executor = field(default_factory=InlineExecutor)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the dispatcher, or start it anew: what was in memory is gone."""
        self.store = self.open()
        self.dispatcher = self.another(self.store)

    def open(self) -> EventStore:
        return open_store(sqlite_environment(str(self.folder / "events.sqlite")))

    def another(self, store: EventStore) -> Dispatcher:
        """A dispatcher beside the first one."""
        return Dispatcher(store, self.ports(), background=self.background, limits=self.limits)

    def ports(self) -> Ports:
        database = SqliteDatabase(self.folder / "events.sqlite")
        return Ports(
            orders=SqlOrders(database),
            heard=SqlHeard(database),
            places=SqlPlaces(database),
            looks=SqlLooks(database),
            secrets=self.secrets,
            preflight=self.preflight,
            launcher=self.launcher,
            link=self.link,
            clock=self.clock,
        )

    def hear(self, *events: Event) -> None:
        """Messages come in; ignored ones are deleted as any other."""
        for event in events:
            try:
                self.dispatcher.handle(event)
            except Ignore:
                continue

    def pass_time(self, seconds: float, *, step: float = 2.0) -> None:
        """Time goes by, and the supervision looks as often as it does."""
        while seconds > 0:
            self.clock.go_on(min(step, seconds))
            seconds -= step
            self.dispatcher.tick()

    def events(self, job: str = "concert") -> list[Event]:
        """What the dispatcher said about a job."""
        notifications = self.store.recorder.select_notifications(None, 10_000)
        events = [decode(one.state) for one in notifications]
        return [event for event in events if event.subject == job]

    def facts(self, job: str = "concert") -> list[str]:
        return [type(event.data).__name__ for event in self.events(job)]

    def last(self, job: str = "concert") -> Fact:
        return self.events(job)[-1].data
