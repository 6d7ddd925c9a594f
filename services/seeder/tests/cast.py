"""A small cast for the seeder's tests: one job, its events, and a world in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any

from chronicle_contracts import Event, Fact, decode, naming
from chronicle_contracts.portal import RecordingDeleted
from chronicle_contracts.recorder import Checksum, Completeness, Uploaded
from chronicle_contracts.seeder import Engine as EngineName
from chronicle_eventstore import open_store
from seeder.domain.policy import Limits
from seeder.domain.seed import Seed
from seeder.handlers import Seeder
from seeder.offering import Offering
from seeder.ports import EngineDown, EngineRefused, EngineTorrent, Offer, StoredFile, Torrent, Wish
from seeder.reconciler import Reconciler
from seeder.roster import Roster

JOB = "job-1"
KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Crash(BaseException):
    """The process is gone; nothing catches this."""


def uploaded(content: str = "ab" * 32, *, size: int = 1000, attempt: int = 1) -> Event:
    fact = Uploaded(
        run_id=f"{JOB}.{attempt}",
        attempt=attempt,
        key=KEY,
        size=size,
        checksum=Checksum(algorithm="sha256", value=content),
        duration=10.0,
        completeness=Completeness(score=1.0, missing_seconds=0.0, verified=True),
    )
    return event(fact, stream=f"recorder/{JOB}.{attempt}", sequence=9)


def deleted(key: str = KEY) -> Event:
    return event(RecordingDeleted(key=key, reason="asked"), stream=f"portal/{JOB}", sequence=2)


def replayed(event: Event, replay: str = "r1", *, force: bool = False) -> Event:
    """The event as a replay brings it."""
    return event.model_copy(update={"replayid": replay, "replayforce": True if force else None})


def event(fact: Fact, *, stream: str, sequence: int) -> Event:
    return Event.of(fact, source="/test", job_id=JOB, stream=stream, sequence=sequence, time=NOON)


class Steps:
    """Counts the steps that change the world and can crash at one of them."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.crash_before: int | None = None

    def take(self, name: str) -> None:
        if self.crash_before == len(self.done):
            self.crash_before = None
            raise Crash(name)
        self.done.append(name)


@dataclass
class MemoryRecordings:
    steps: Steps
    objects: dict[str, bytes] = field(default_factory=dict)
    trouble: Exception | None = None

    def stat(self, key: str) -> StoredFile | None:
        if self.trouble is not None:
            raise self.trouble
        data = self.objects.get(key)
        return None if data is None else StoredFile(len(data), sha1(data).hexdigest())

    def fetch(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.steps.take(f"put {key.rsplit('/', 1)[-1]}")
        self.objects[key] = data

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def delete_beside(self, key: str) -> None:
        for beside in [one for one in self.objects if one.startswith(f"{key}.")]:
            self.delete(beside)


@dataclass
class MemoryMaker:
    recordings: MemoryRecordings
    steps: Steps
    made: int = 0
    problem: Exception | None = None
    meanwhile: Callable[[], None] = lambda: None

    def make(self, wish: Wish) -> Torrent:
        if self.problem is not None:
            raise self.problem
        self.steps.take("make")
        self.made += 1
        self.meanwhile()
        info_hash = sha1(wish.name.encode() + self.recordings.objects[wish.key]).hexdigest()
        return Torrent(f"torrent {info_hash}".encode(), info_hash, f"magnet:{info_hash}")


@dataclass
class MemoryEngine:
    steps: Steps
    has: dict[str, EngineTorrent] = field(default_factory=dict)
    down: bool = False
    refuses: bool = False
    checks: bool = False
    offered: int = 0

    name: EngineName = "libtorrent"

    def _reach(self) -> None:
        if self.down:
            raise EngineDown("not there")

    def offer(self, offer: Offer) -> bool:
        self._reach()
        self.offered += 1
        if self.refuses:
            self.has.pop(offer.info_hash, None)
            raise EngineRefused("the pieces differ")
        if offer.info_hash not in self.has:
            self.steps.take("offer")
        self.has[offer.info_hash] = EngineTorrent(seeding=not self.checks)
        return not self.checks

    def withdraw(self, info_hash: str) -> None:
        self._reach()
        self.has.pop(info_hash, None)

    def torrents(self) -> dict[str, EngineTorrent]:
        self._reach()
        return dict(self.has)


@dataclass
class MemoryTracker:
    steps: Steps
    allowed: set[str] = field(default_factory=set)

    def allow(self, info_hash: str) -> None:
        self.steps.take("allow")
        self.allowed.add(info_hash)

    def forbid(self, info_hash: str) -> None:
        self.allowed.discard(info_hash)


class World:
    """A seeder over fakes, with an event store in memory; `restart` is a new process."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.now = NOON
        self.steps = Steps()
        self.events = open_store({"PERSISTENCE_MODULE": "eventsourcing.popo"})
        self.recordings = MemoryRecordings(self.steps, {KEY: b"x" * 1000})
        self.maker = MemoryMaker(self.recordings, self.steps)
        self.engine = MemoryEngine(self.steps)
        self.tracker = MemoryTracker(self.steps)
        self.limits = limits or Limits()
        self.left_over = 0
        self.saved = 0
        self.restart()

    def restart(self) -> None:
        offering = Offering(
            events=self.events,
            recordings=self.recordings,
            maker=self.maker,
            engine=self.engine,
            tracker=self.tracker,
            clock=lambda: self.now,
            saved=self._count_saved,
        )
        self.seeder = Seeder(
            events=self.events,
            recordings=self.recordings,
            maker=self.maker,
            offering=offering,
            trackers=("udp://127.0.0.1:6969/announce",),
            web_seed=lambda key: f"http://127.0.0.1/webseed/t/{key}",
            clock=lambda: self.now,
            left_over=self._count_left_over,
        )
        self.reconciler = Reconciler(
            events=self.events,
            roster=Roster(self.events),
            engine=self.engine,
            offering=offering,
            limits=self.limits,
            clock=lambda: self.now,
            monotonic=self._seconds,
        )

    def _count_saved(self) -> None:
        self.steps.take("saved")
        self.saved += 1

    def _count_left_over(self) -> None:
        self.left_over += 1

    def _seconds(self) -> float:
        return self.now.timestamp()

    def pass_time(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def reconcile(self, **later: float) -> bool:
        self.pass_time(**(later or {"minutes": 1}))
        return self.reconciler.run_once()

    def seed(self) -> Seed:
        found = self.events.find(Seed, naming.seeder_stream(JOB))
        assert found is not None
        return found

    def history(self) -> list[Event]:
        notifications = self.events.recorder.select_notifications(1, 1000)
        return [decode(one.state) for one in notifications]

    def said(self) -> list[str]:
        return [type(one.data).__name__ for one in self.history()]

    def last(self) -> Any:
        return self.history()[-1].data
