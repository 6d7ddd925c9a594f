"""A dispatcher and the recorders that it starts: real processes, a real queue, a real source."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chronicle_contracts import Event, Fact, decode, naming
from chronicle_contracts.portal import JobRequested, StopRequested
from chronicle_messaging import Bus
from dispatcher.adapters import procfs

from tests.faults.encoder import Encoder, Pacing
from tests.faults.origin import Origin
from tests.faults.source import make_first_life

KEY = "recordings/2026/11/21/gala-0f0f0f0f.mkv"


class Dispatching:
    """One dispatcher with its home; jobs are asked for and heard of over the topic."""

    def __init__(self, folder: Path, bus: Bus, env: dict[str, str]) -> None:
        self.home = folder / "home"
        self.log = folder / "dispatcher.log"
        self.heard: list[Event] = []
        self._bus = bus
        self._env = env
        self._asked = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> Dispatching:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dispatcher"],
                env={
                    **self._env,
                    "PATH": os.environ["PATH"],
                    "CHRONICLE_HOME": str(self.home),
                    "CHRONICLE_RECORDINGS": str(self.home / "store"),
                    "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": "true",
                    "CHRONICLE_SUPERVISION_INTERVAL": "0.5",
                    "CHRONICLE_HEARTBEAT": "1",
                    "CHRONICLE_FLUSH_INTERVAL": "1",
                    "CHRONICLE_LAUNCH_FREE_DISK": "0",
                    **env,
                },
                stdout=log,
                stderr=log,
            )
        return self

    def ask(self, fact: Fact, job: str = "gala") -> None:
        self._asked += 1
        event = Event.of(
            fact,
            source="/portal",
            job_id=job,
            stream=naming.portal_stream(job),
            sequence=self._asked,
            time=datetime.now(UTC),
        )
        self._bus.publisher().publish([event])

    def record(self, url: str, **more: Any) -> None:
        self.ask(JobRequested(url=url, key=KEY, filename="gala.mkv", **more))

    def stop(self) -> None:
        self.ask(StopRequested())

    def hear(self) -> list[str]:
        """The names of all facts that were heard by now."""
        queue = self._bus.queue("portal")
        messages = queue.receive(wait=1)
        queue.delete(messages)
        known = {event.id for event in self.heard}
        for message in messages:
            event = decode(message.body)
            if event.id not in known:
                known.add(event.id)
                self.heard.append(event)
        return [type(event.data).__name__ for event in self.heard]

    def until(self, condition: Any, what: str, *, within: float = 120.0) -> None:
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen: {self.said()}"
            time.sleep(0.05)

    def until_heard(self, name: str, *, times: int = 1, within: float = 120.0) -> Fact:
        self.until(lambda: self.hear().count(name) >= times, name, within=within)
        facts = [event.data for event in self.heard if type(event.data).__name__ == name]
        return facts[-1]

    def until_recorded(self, seconds: float, *, attempt: int = 1) -> None:
        def beats() -> bool:
            self.hear()
            facts = [event.data for event in self.heard]
            return any(
                getattr(fact, "media_seconds", 0) >= seconds
                and getattr(fact, "attempt", 0) == attempt
                for fact in facts
            )

        self.until(beats, f"{seconds} s of media")

    @property
    def work(self) -> Path:
        return self.home / "work" / "gala"

    @property
    def recording(self) -> Path:
        return self.home / "store" / KEY

    def recorders(self) -> list[procfs.Stat]:
        """Every process that runs for the job, recorders and whatever they started."""
        return procfs.working_in(str(self.work))

    def said(self) -> str:
        """The logs, for whoever has to find out why."""
        logs = [self.log, *self.work.glob("run-*.log")]
        return "\n".join(f"== {log.name}\n{log.read_text()[-4000:]}" for log in logs)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
        for one in self.recorders():
            os.kill(one.pid, 9)


@pytest.fixture
def dispatching(tmp_path, messaging_settings, aws_env):
    bus = Bus.connect(messaging_settings)
    bus.topic()
    opened = Dispatching(tmp_path, bus, aws_env)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def numbered(tmp_path_factory):
    """Media of which every packet is told from every other."""
    first = make_first_life(tmp_path_factory.mktemp("lives"), seconds=120, segment=1)
    return {"first": first}


@pytest.fixture
def origin(numbered):
    """A live stream that has not begun yet: `origin.encoder.start()`."""
    opened = Origin(Encoder(numbered, Pacing(pace=1.0, window=30)))
    yield opened
    opened.close()
