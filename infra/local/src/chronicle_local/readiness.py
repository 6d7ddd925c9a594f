"""Waiting until a process of the stack is ready, or saying why it does not become so."""

from __future__ import annotations

import time

import httpx

from chronicle_local.errors import ProcessFailed
from chronicle_local.processes import Process
from chronicle_local.supervision import Supervisor

LONGEST = 90.0  # seconds
BAD_SETTING = "bad setting: "  # so they say who refuse to start; starting again would not help
TAIL = 1500  # characters of its log that a failure shows


def wait_ready(process: Process, supervisor: Supervisor, *, timeout: float = LONGEST) -> None:
    """Return once the process is up and, where it has an address for that, answers 200.

    Raises `ProcessFailed` with the end of its log when it refuses its settings, or is not ready
    after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        state = supervisor.state(process.name)
        if state["statename"] == "RUNNING" and (process.health is None or _healthy(process.health)):
            return
        exited = state["statename"] in {"BACKOFF", "EXITED", "FATAL"}
        if exited and BAD_SETTING in supervisor.said(process.name):
            raise _failure(process, supervisor, "refused its settings")
        if supervisor.died or time.monotonic() > deadline:
            raise _failure(process, supervisor, f"was not ready after {timeout:g} s")
        time.sleep(0.1)


def _healthy(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _failure(process: Process, supervisor: Supervisor, what: str) -> ProcessFailed:
    log, said = supervisor.log_of(process.name), supervisor.said(process.name)
    return ProcessFailed(f"{process.title} {what}; the end of {log}:\n{said[-TAIL:]}")
