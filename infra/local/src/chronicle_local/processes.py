"""The processes of the one-machine stack, as data, in the order in which they start."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chronicle_local.settings import StackSettings
from chronicle_local.tracker import Tracker


@dataclass(frozen=True)
class Process:
    """One process of the stack.

    `health` is an address that answers 200 once the process is ready; without one the process is
    ready when it has stayed up for a second. `stop_wait` is how many seconds it may take to end
    after SIGTERM.
    """

    name: str
    title: str
    command: Sequence[str]
    health: str | None = None
    stop_wait: int = 15


def processes(settings: StackSettings, *, root: Path, tracker: Tracker | None) -> list[Process]:
    """Return the stack's processes; `root` is the folder that holds `portal/manage.py`."""
    python = sys.executable
    manage = str(root / "portal" / "manage.py")
    web = [
        *(python, "-m", "gunicorn", "portal.asgi:application"),
        *("--worker-class", "uvicorn_worker.UvicornWorker", "--workers", "1"),
        *("--bind", f"127.0.0.1:{settings.portal_port}", "--graceful-timeout", "10"),
        # The portal logs its requests itself, with who asked.
        "--no-control-socket",
    ]
    listed = [
        Process(
            "aws",
            "AWS endpoint",
            [python, "-m", "chronicle_local.emulator"],
            health=f"{settings.aws_url}/_ministack/health",
        ),
        Process("portal-web", "portal", web, health=f"{settings.portal_url}/health/ready"),
        Process("portal-ingest", "portal ingest", [python, manage, "ingest"]),
        Process("portal-relay", "portal relay", [python, manage, "relay"]),
        Process("seeder", "seeder", [python, "-m", "seeder"]),
        Process("dispatcher", "dispatcher", [python, "-m", "dispatcher"], stop_wait=30),
    ]
    if tracker is not None:
        listed.insert(
            1,
            Process("tracker", "tracker", tracker.command, health=tracker.health, stop_wait=5),
        )
    return listed
