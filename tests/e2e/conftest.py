"""The stack that the end-to-end tests share: real processes, real ports, real files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chronicle_local import leftovers
from chronicle_local.settings import StackSettings
from chronicle_local.stack import Stack
from chronicle_local.steps import Steps
from rich.console import Console

from tests.e2e.running import RunningStack
from tests.fixtures.aws import free_port

# Short limits where a test waits for them to pass.
IMPATIENT = {
    "CHRONICLE_PREFLIGHT_TIMEOUT": "8",
    "CHRONICLE_RESOLVE_TIMEOUT": "8",
    "CHRONICLE_START_TIMEOUT": "8",
    "CHRONICLE_HEARTBEAT": "1",
    "CHRONICLE_SUPERVISION_INTERVAL": "1",
}


def free_ports(count: int) -> list[int]:
    """Return different free ports."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)


@pytest.fixture(scope="session")
def short_home(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home with a short path: it holds a unix socket. Kept, with its logs, when a test failed."""
    folder = Path(tempfile.mkdtemp(prefix="chronicle-e2e-"))
    yield folder
    assert leftovers.find(folder) == [], "processes were left running"
    assert leftovers.recorders(folder) == [], "recorders were left running"
    if request.session.testsfailed == 0:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def running(short_home: Path) -> Iterator[RunningStack]:
    """The whole stack, up; it records from 127.0.0.1 too."""
    aws, portal, tracker = free_ports(3)
    settings = StackSettings(
        home=short_home,
        aws_port=aws,
        portal_port=portal,
        tracker_port=tracker,
        allow_private_addresses=True,
    )
    outside = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **IMPATIENT}
    stack = Stack(settings, Steps(Console()), outside=outside)
    stack.start()
    yield RunningStack(stack)
    stack.stop()
