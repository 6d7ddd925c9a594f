"""The one-machine stack for benchmarks that measure the whole flow, in a home of its own."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from chronicle_local.settings import StackSettings
from chronicle_local.stack import Stack
from chronicle_local.steps import Steps
from rich.console import Console


class Portal:
    """The API of a running stack."""

    def __init__(self, stack: Stack) -> None:
        self.home = stack.home
        self._http = httpx.Client(
            base_url=f"{stack.settings.portal_url}/api/v1",
            headers={"Authorization": f"Bearer {stack.secrets['CHRONICLE_API_TOKEN']}"},
            timeout=30,
            trust_env=False,
        )

    def submit(self, url: str, job_id: str) -> None:
        """Ask for a recording."""
        body = {"url": url, "id": job_id}
        self._http.post("/jobs", json=body).raise_for_status()

    def stop(self, job_id: str) -> None:
        """Ask for its end."""
        self._http.post(f"/jobs/{job_id}/stop", json={"mode": "keep"}).raise_for_status()

    def until(self, job_id: str, *statuses: str, timeout: float = 90.0) -> None:
        """Return when the job has one of the statuses; `TimeoutError` says where it stands."""
        deadline = time.monotonic() + timeout
        while (job := self._http.get(f"/jobs/{job_id}").json())["status"] not in statuses:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{job_id} is {job['status']} after {timeout} s: {job['error']}")
            time.sleep(0.2)

    def entries(self, job_id: str) -> list[dict[str, Any]]:
        """Return the job's log entries: position, received_at, event."""
        answer = self._http.get(f"/jobs/{job_id}/events").raise_for_status().json()
        results: list[dict[str, Any]] = answer["results"]
        return results


@contextmanager
def running_stack(console: Console) -> Iterator[Portal]:
    """Run a stack on free ports that may record from 127.0.0.1; remove it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="chronicle-bench-"))
    aws, portal, tracker = _free_ports(3)
    settings = StackSettings.model_validate(
        {
            "CHRONICLE_HOME": home,
            "CHRONICLE_AWS_PORT": aws,
            "CHRONICLE_PORTAL_PORT": portal,
            "CHRONICLE_TRACKER_PORT": tracker,
            "CHRONICLE_ALLOW_PRIVATE_ADDRESSES": True,
        }
    )
    outside = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    stack = Stack(settings, Steps(console), outside=outside)
    stack.start()
    try:
        yield Portal(stack)
    finally:
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
