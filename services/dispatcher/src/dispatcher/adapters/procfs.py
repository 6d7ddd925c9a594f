"""Processes as /proc shows them: who is who, even where a process id was used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
WORK_DIR = "CHRONICLE_WORK_DIR"


@dataclass(frozen=True)
class Stat:
    """A line of /proc/<pid>/stat, as far as it matters (proc(5))."""

    pid: int
    state: str
    parent: int
    session: int
    start_time: int  # clock ticks since boot: with the pid it names a process for good

    @property
    def runs(self) -> bool:
        """False for a process that has ended and only waits to be reaped."""
        return self.state not in {"Z", "X", "x"}

    @property
    def reference(self) -> str:
        """The name of this very process: `pid:starttime`."""
        return f"{self.pid}:{self.start_time}"


def stat_of(pid: int) -> Stat | None:
    """Return a process, None where there is none of this id."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may hold any character.
    fields = text.rpartition(")")[2].split()
    return Stat(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        start_time=int(fields[19]),
    )


def find(reference: str) -> Stat | None:
    """Return the very process that a reference names, None where it is gone."""
    pid, _, start_time = reference.partition(":")
    if not pid.isdigit():
        return None
    stat = stat_of(int(pid))
    return stat if stat is not None and str(stat.start_time) == start_time else None


def processes() -> Iterator[Stat]:
    """Yield every process that can be seen."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := stat_of(int(entry.name))) is not None:
            yield stat


def family_of(leader: int) -> list[Stat]:
    """Return the process, its descendants, and what is left of its session."""
    everyone = list(processes())
    family = {one.pid: one for one in everyone if leader in {one.pid, one.session}}
    grown = True
    while grown:
        more = {one.pid: one for one in everyone if one.parent in family and one.pid not in family}
        family |= more
        grown = bool(more)
    return list(family.values())


def working_in(work: str) -> list[Stat]:
    """Return the processes that run for the job whose work folder this is.

    The environment names it, from the recorder down to whatever it starts.
    """
    mark = f"{WORK_DIR}={work}".encode()

    def is_marked(pid: int) -> bool:
        return mark in _read(pid, "environ").split(b"\0")

    return [one for one in processes() if one.runs and is_marked(one.pid)]


def environment_of(pid: int) -> dict[str, str]:
    """Return the environment that a process of ours was started with; empty where it is hidden."""
    raw = _read(pid, "environ").split(b"\0")
    pairs = (entry.decode(errors="replace").partition("=") for entry in raw)
    return {name: value for name, is_pair, value in pairs if is_pair}


def command_of(pid: int) -> bytes:
    """Return the command line of a process, its words separated by zeros."""
    return _read(pid, "cmdline")


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
