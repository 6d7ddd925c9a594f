"""The torrent of one job and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from functools import singledispatchmethod
from typing import ClassVar, Literal

from chronicle_contracts import Event, Fact, naming
from chronicle_contracts.seeder import (
    Engine,
    SeedingProgress,
    SeedingStarted,
    SeedingStopped,
    TorrentCreated,
    TorrentFailed,
)
from chronicle_eventstore import Aggregate

ANSWERS = (TorrentCreated, TorrentFailed, SeedingStopped)
PROGRESS_EVERY = timedelta(minutes=1)

WhyStopped = Literal["ratio", "idle", "age", "space", "deleted", "missing"]


class State(Enum):
    """Where a seed stands."""

    EMPTY = "nothing was uploaded yet"
    CREATED = "there is a torrent; no engine offers it yet"
    SEEDING = "an engine offers it"
    STOPPED = "it is offered no longer"
    FAILED = "no torrent could be made"


class Seed(Aggregate):
    """The stream `seeder/<job>`.

    A job has one torrent at a time; content that is uploaded anew gets a new one.
    """

    SOURCE: ClassVar[str] = "/seeder"

    state: State
    torrent: TorrentCreated | None
    why_stopped: WhyStopped | None
    uploaded: int
    started_at: datetime | None
    moved_at: datetime | None
    replaced: frozenset[str]

    @staticmethod
    def stream(job_id: str) -> str:
        """Return the name of a job's stream."""
        return naming.seeder_stream(job_id)

    def begin(self) -> None:
        """Start with nothing."""
        self.state = State.EMPTY
        self.torrent = None
        self.why_stopped = None
        self.uploaded = 0
        self.started_at = None
        self.moved_at = None
        self.replaced = frozenset()
        self._said_at: datetime | None = None
        self._answered: frozenset[str] = frozenset()
        self._newest: str | None = None
        self._at: datetime | None = None

    # What is asked of it.

    def has_torrent_of(self, recording_key: str, content: str) -> bool:
        """Return whether there is a torrent of just this content."""
        if self.torrent is None or self.state is State.FAILED:
            return False
        return (self.torrent.recording_key, self.torrent.content) == (recording_key, content)

    def has_answered(self, event: Event) -> bool:
        """Return whether this very event has led to something already.

        The past is told again when a topic was lost: an old upload must not replace a newer one,
        an old deletion not stop it.
        """
        return str(event.id) in self._answered

    def has_redone(self, event: Event) -> bool:
        """Return whether the forced replay that brings this event has led to something already."""
        return _again(str(event.id), event.forced_by) in self._answered

    def is_of(self, event: Event) -> bool:
        """Return whether the newest torrent, or the newest failure, came of this very event."""
        return str(event.id) == self._newest

    @property
    def is_deleted(self) -> bool:
        """Whether it stopped because its recording was deleted."""
        return self.state is State.STOPPED and self.why_stopped == "deleted"

    @property
    def is_wanted(self) -> bool:
        """Whether an engine should offer it."""
        return self.state in {State.CREATED, State.SEEDING}

    @property
    def may_come_back(self) -> bool:
        """Whether it stopped only because its recording was not as it should be."""
        return self.state is State.STOPPED and self.why_stopped == "missing"

    def has_news(self, total: int, now: datetime) -> bool:
        """Return whether it is time to say that `total` bytes were sent by now."""
        if self.state is not State.SEEDING or total == self.uploaded:
            return False
        return self._said_at is None or now - self._said_at >= PROGRESS_EVERY

    # What is decided about it.

    def create(self, torrent: TorrentCreated, *, at: datetime, cause: Event) -> None:
        """Record a torrent, unless it is the one that is there and nobody forces it anew."""
        assert torrent.content is not None
        is_there = self.has_torrent_of(torrent.recording_key, torrent.content)
        if cause.forced_by is not None or not is_there:
            self.record(torrent, at=at, cause=cause)

    def fail(
        self,
        recording_key: str,
        code: str,
        detail: str,
        *,
        at: datetime,
        cause: Event | None = None,
    ) -> None:
        """Record that there is no torrent, or none that could ever be offered."""
        failed = TorrentFailed(recording_key=recording_key, code=code, detail=detail)
        self.record(failed, at=at, cause=cause)

    def start(self, engine: Engine, *, at: datetime, cause: Event | None = None) -> None:
        """Record that an engine offers it, unless one does or nobody wants it."""
        if self.torrent is not None and (self.state is State.CREATED or self.may_come_back):
            started = SeedingStarted(info_hash=self.torrent.info_hash, engine=engine)
            self.record(started, at=at, cause=cause)

    def stop(
        self,
        why: WhyStopped,
        *,
        at: datetime,
        detail: str | None = None,
        cause: Event | None = None,
    ) -> None:
        """Record that it is offered no longer; a deletion is recorded whatever was before."""
        if self.torrent is None:
            return
        if self.is_wanted or (why == "deleted" and self.why_stopped != "deleted"):
            stopped = SeedingStopped(info_hash=self.torrent.info_hash, why=why, detail=detail)
            self.record(stopped, at=at, cause=cause)

    def progress(self, total: int, peers: int, *, at: datetime) -> None:
        """Record how much was sent: at most once a minute, and only when there is news."""
        if self.torrent is None or not self.has_news(total, at):
            return
        ratio = round(total / self.torrent.size, 4) if self.torrent.size else 0.0
        said = SeedingProgress(
            info_hash=self.torrent.info_hash, uploaded=total, ratio=ratio, peers=peers
        )
        self.record(said, at=at)

    # How it evolves.

    def evolve(self, event: Event) -> None:
        """Take in an event; its time and cause matter too."""
        self._at = event.time
        if isinstance(event.data, ANSWERS) and event.causationid:
            self._answered |= {event.causationid}
            if not isinstance(event.data, SeedingStopped):
                self._newest = event.causationid
            if event.causationreplay:
                self._answered |= {_again(event.causationid, event.causationreplay)}
        self.apply(event.data)

    @singledispatchmethod
    def apply(self, fact: Fact) -> None:
        """Leave the state as it is: a fact of a newer version."""

    @apply.register
    def _(self, fact: TorrentCreated) -> None:
        if self.torrent is not None and self.torrent.info_hash != fact.info_hash:
            self.replaced |= {self.torrent.info_hash}
        self.replaced -= {fact.info_hash}
        self.torrent = fact
        self.state = State.CREATED
        self.why_stopped = None
        self.uploaded = 0
        self.started_at = self.moved_at = self._said_at = None

    @apply.register
    def _(self, _fact: TorrentFailed) -> None:
        self.state = State.FAILED

    @apply.register
    def _(self, _fact: SeedingStarted) -> None:
        self.state = State.SEEDING
        self.why_stopped = None
        self.started_at = self.started_at or self._at
        self.moved_at = self._at

    @apply.register
    def _(self, fact: SeedingProgress) -> None:
        self.uploaded = fact.uploaded
        self.moved_at = self._said_at = self._at

    @apply.register
    def _(self, fact: SeedingStopped) -> None:
        self.state = State.STOPPED
        self.why_stopped = fact.why


def _again(event_id: str, replay_id: str | None) -> str:
    return f"{event_id}/{replay_id}"
