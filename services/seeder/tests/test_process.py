"""The whole seeder as a process: events in by the queue, facts out by the topic, peers served."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from chronicle_contracts import Event, Fact, encode
from chronicle_contracts.portal import RecordingDeleted, RepeatRequested
from chronicle_contracts.recorder import Checksum, Completeness, Uploaded
from chronicle_contracts.seeder import SeedingProgress
from chronicle_local import second_client
from chronicle_messaging import Bus, MessagingSettings, read_event
from chronicle_storage import StorageSettings, open_store

from tests.fixtures.p2p import wait_until

JOB = "job-1"
KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
CONTENT = os.urandom(1_500_000)


@dataclass
class Portal:
    """Publishes as others do and hears what the portal hears."""

    bus: Bus
    heard: list[Event] = field(default_factory=list)

    def say(self, fact: Fact, *, stream: str, sequence: int) -> Event:
        moment = datetime(2026, 1, 31, tzinfo=UTC)
        event = Event.of(
            fact, source="/test", job_id=JOB, stream=stream, sequence=sequence, time=moment
        )
        assert self.bus.publisher().publish([event]) == 1
        return event

    def replays(self, event: Event, replay: str, *, force: bool) -> None:
        """Send an event to the seeder alone, as `manage.py replay` does."""
        marks = {"replayid": replay, "replayforce": True if force else None}
        self.bus.queue("seeder").send(
            encode(event.model_copy(update=marks)).decode(),
            group=event.subject,
            deduplication_id=uuid4().hex,
        )

    def hears(self, name: str, times: int = 1) -> bool:
        queue = self.bus.queue("portal")
        messages = queue.receive(wait=1)
        self.heard += [read_event(one) for one in messages]
        queue.delete(messages)
        return sum(type(one.data).__name__ == name for one in self.heard) >= times


@pytest.fixture
def portal(aws_env) -> Portal:
    bus = Bus.connect(MessagingSettings())
    bus.incarnation()  # queues first, or what is said now reaches nobody
    return Portal(bus)


@pytest.fixture
def environment(aws_env, opentracker, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        **opentracker.tracker.environment,
        "CHRONICLE_HOME": str(tmp_path / "home"),
        "CHRONICLE_WEBSEED_SECRET": "for this test alone",
    }


@pytest.fixture
def seeder(environment, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        (tmp_path / "seeder.log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "seeder"], env=environment, stderr=log) as process,
    ):
        yield process
        if process.poll() is None:
            process.kill()


class TestProcess:
    def test_seeds_what_was_uploaded_until_it_is_deleted_and_ends_when_asked(
        self, portal, seeder, tmp_path
    ):
        store = open_store(StorageSettings(home=tmp_path / "home"))
        store.put(KEY, CONTENT)
        digest = hashlib.sha256(CONTENT).hexdigest()
        fact = Uploaded(
            run_id=f"{JOB}.1",
            attempt=1,
            key=KEY,
            size=len(CONTENT),
            checksum=Checksum(algorithm="sha256", value=digest),
            duration=10.0,
            completeness=Completeness(score=1.0, missing_seconds=0.0, verified=True),
        )
        uploaded = portal.say(fact, stream=f"recorder/{JOB}.1", sequence=1)
        wait_until(lambda: portal.hears("SeedingStarted"), "seeding has started")

        # A client that knows nothing but the .torrent finds the seeder by the tracker.
        torrent = b"".join(store.read(f"{KEY}.torrent"))
        (tmp_path / "there").mkdir()
        fetched = second_client.fetch(torrent, tmp_path / "there", peer=None)
        assert fetched.client == "aria2"
        assert second_client.sha256(fetched.path) == digest

        missed = RepeatRequested(stream=f"seeder/{JOB}", from_sequence=1, to_sequence=1)
        portal.say(missed, stream=f"portal/{JOB}", sequence=1)
        wait_until(lambda: portal.hears("TorrentCreated", 2), "it is said again")
        again = portal.heard.pop()
        assert again == next(one for one in portal.heard if one.id == again.id)

        # Of one job all come in order: what follows shows what came of those before.
        portal.replays(uploaded, "r1", force=False)
        for _ in range(2):
            portal.replays(uploaded, "r2", force=True)
        portal.replays(uploaded, "r3", force=False)
        wait_until(lambda: portal.hears("SeedingStarted", 2), "it is seeded anew")
        queue = portal.bus.queue("seeder")
        wait_until(lambda: not any(queue.depth().values()), "all replays are handled")

        store.delete(KEY)
        portal.say(RecordingDeleted(key=KEY, reason="asked"), stream=f"portal/{JOB}", sequence=2)
        wait_until(lambda: portal.hears("SeedingStopped"), "seeding has stopped")
        wait_until(lambda: list(store.list("")) == [], "the torrent files are gone")

        seeder.send_signal(signal.SIGTERM)
        assert seeder.wait(30) == 0
        ours = [one for one in portal.heard if one.source == "/seeder"]
        said = [type(one.data).__name__ for one in ours if type(one.data) is not SeedingProgress]
        assert said == [*["TorrentCreated", "SeedingStarted"] * 2, "SeedingStopped"]
        assert [one.causationreplay for one in ours[-3:-1]] == ["r2", "r2"]
        assert [one.sequence for one in ours] == list(range(1, len(ours) + 1))
        assert b"for this test alone" not in (tmp_path / "seeder.log").read_bytes()
