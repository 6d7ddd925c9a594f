"""What a running stack's processes are doing."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from chronicle_local import leftovers
from chronicle_local.settings import StackSettings
from chronicle_local.stack import owner
from chronicle_local.supervision import Supervisor


def print_status(settings: StackSettings, console: Console) -> int:
    """Print the processes of this home's stack; return 0 if all run, 1 if not, 3 without a stack.

    3 is what the Linux Standard Base calls "program is not running".
    """
    supervisor = Supervisor(settings.folder)
    if not supervisor.answers():
        console.print(f"no stack runs in {settings.folder}", highlight=False)
        return 3
    table = Table("process", "state", "pid", "log", box=None)
    states = supervisor.states()
    for state in states:
        table.add_row(
            state["name"],
            state["statename"].lower(),
            str(state["pid"] or ""),
            str(supervisor.log_of(state["name"])),
        )
    for recorder in leftovers.recorders(settings.folder):
        table.add_row("recorder", "running", str(recorder.pid), recorder.environment["JOB_ID"])
    console.print(table)
    console.print(f"owner: process {owner(settings.folder) or 'gone; `make up` starts anew'}")
    return 0 if all(state["statename"] == "RUNNING" for state in states) else 1
