"""Processes that a killed stack left behind: found by a mark in their environment, and stopped.

supervisord, its processes and their children carry CHRONICLE_STACK=<home>. Recorders carry it
too, but they are meant to outlive everything; a new dispatcher takes them up again.
"""

from __future__ import annotations

import signal
from pathlib import Path

from chronicle_local import proc

MARK = "CHRONICLE_STACK"


def find(home: Path) -> list[proc.Seen]:
    """Return what still runs of this home's stack, supervisord first."""
    seen = [one for one in proc.with_environment(MARK, str(home)) if not is_recorder(one)]
    return sorted(seen, key=lambda one: ("CHRONICLE_STACK_PROCESS" in one.environment, one.pid))


def recorders(home: Path) -> list[proc.Seen]:
    """Return the running recorders that this home's stack launched, without their children."""
    family = [one for one in proc.with_environment(MARK, str(home)) if is_recorder(one)]
    pids = {one.pid for one in family}
    return [one for one in family if one.parent not in pids]


def is_recorder(process: proc.Seen) -> bool:
    """Return whether a process belongs to a recording."""
    return "JOB_ID" in process.environment


def clear(home: Path, *, timeout: float = 20.0) -> int:
    """Stop what is left of this home's stack and return how many processes that were.

    supervisord goes first, or it would start the others again; whoever has not ended after
    `timeout` seconds is killed.
    """
    found = find(home)
    for process in found:
        process.send(signal.SIGTERM)
    for process in proc.wait_gone(found, timeout=timeout):
        process.send(signal.SIGKILL)
    proc.wait_gone(found, timeout=5)
    for process in find(home):  # started by a supervisord that was on its way out
        process.send(signal.SIGKILL)
    return len(found)
