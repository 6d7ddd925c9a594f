"""Processes of this machine as /proc shows them; empty where there is no /proc."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """A process; `started` (clock ticks since boot) tells it from a later one of the same pid."""

    pid: int
    parent: int
    started: int
    environment: Mapping[str, str]
    command: str

    @property
    def runs(self) -> bool:
        """True while it is there and no zombie."""
        status = _status(self.pid)
        return status is not None and status.started == self.started and status.runs

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        if self.runs:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def with_environment(name: str, value: str) -> Iterator[Seen]:
    """Yield the running processes that were started with this variable, except this one."""
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if pid == os.getpid():
            continue
        try:
            raw = (folder / "environ").read_bytes()
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended, or belongs to somebody else
        pairs = (entry.partition("=") for entry in raw.decode(errors="replace").split("\0"))
        environment = {key: text for key, _, text in pairs}
        status = _status(pid)
        if environment.get(name) == value and status is not None and status.runs:
            command = words.replace(b"\0", b" ").decode(errors="replace").strip()
            yield Seen(pid, status.parent, status.started, environment, command)


def wait_gone(seen: Iterable[Seen], *, timeout: float) -> list[Seen]:
    """Wait until the processes have ended; return those that still run after `timeout` seconds."""
    left = list(seen)
    deadline = time.monotonic() + timeout
    while left := [one for one in left if one.runs]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


@dataclass(frozen=True)
class _Status:
    state: str
    parent: int
    started: int

    @property
    def runs(self) -> bool:
        return self.state != "Z"


def _status(pid: int) -> _Status | None:
    """Return state, parent and start time of a process: fields 3, 4 and 22 of proc(5) stat."""
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return _Status(fields[0], int(fields[1]), int(fields[19]))
