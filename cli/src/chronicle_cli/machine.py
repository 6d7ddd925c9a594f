"""What this machine has of the things that Chronicle uses."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from chronicle_cli.wording import size

LEAST_DISK = 5 << 30  # bytes: an hour and a half of a good stream
OLDEST_PYTHON = (3, 11)

# The variable that moves a port of the one-machine stack, what it is for, the port.
PORTS = (
    ("CHRONICLE_PORTAL_PORT", "portal", 8000),
    ("CHRONICLE_AWS_PORT", "AWS endpoint", 4566),
    ("CHRONICLE_TRACKER_PORT", "tracker", 6969),
)


@dataclass(frozen=True)
class Check:
    """A line of the report; what is `optional` is not needed to record."""

    name: str
    state: Literal["ok", "missing"]
    detail: str
    how: str = ""
    optional: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the check for `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Program:
    """A program that one feature uses; any of `names` will do."""

    title: str
    names: tuple[str, ...]
    use: str
    package: str
    folders: str = ""  # where a system keeps it off the PATH


PROGRAMS = (
    Program("aria2", ("aria2c",), "the demo's second BitTorrent client; tests", "aria2"),
    Program(
        "transmission",
        ("transmission-daemon",),
        "seeding by Transmission in place of libtorrent; tests",
        "transmission-daemon",
    ),
    Program("opentracker", ("opentracker",), "a BitTorrent tracker of our own", "opentracker"),
    Program(
        "chromium", ("chromium", "chromium-browser", "google-chrome"), "browser tests", "chromium"
    ),
    Program(
        "postgresql",
        ("postgres", "initdb"),
        "the portal's database in place of SQLite; tests",
        "postgresql",
        folders="/usr/lib/postgresql",
    ),
)


def check_python() -> Check:
    """Look at the running interpreter."""
    running = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Check("python", "ok", running)
    return Check("python", "missing", running, "install Python 3.11, 3.12 or 3.13")


def check_ffmpeg() -> Check:
    """Start ffmpeg: the wheel's, else the system's."""
    path = _wheel_ffmpeg() or shutil.which("ffmpeg")
    how = "run `make setup`, which installs it, or: apt-get install ffmpeg"
    if path is None:
        return Check("ffmpeg", "missing", "recording needs it", how)
    try:
        done = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check("ffmpeg", "missing", f"{path} does not run: {error}", how)
    return Check("ffmpeg", "ok", " ".join(done.stdout.split()[:3]))


def _wheel_ffmpeg() -> str | None:
    # Not a requirement of ours: the recorder's environment has it, a client's need not.
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return None
    imageio_ffmpeg = importlib.import_module("imageio_ffmpeg")
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None


def check_disk(environ: Mapping[str, str], folder: Path) -> Check:
    """Look at the space where state and recordings are kept."""
    home = Path(environ.get("CHRONICLE_HOME") or folder / ".chronicle").expanduser().absolute()
    place = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free >= LEAST_DISK:
        return Check("disk", "ok", f"{size(free)} free at {place}")
    return Check(
        "disk",
        "missing",
        f"{size(free)} free at {place}, less than {size(LEAST_DISK)}",
        "free some space, or set CHRONICLE_HOME to a folder on a larger disk",
    )


def check_ports(environ: Mapping[str, str], *, stack_is_up: bool) -> Iterator[Check]:
    """Look whether the ports of the one-machine stack are free, or taken by the stack itself."""
    for variable, purpose, default in PORTS:
        text = environ.get(variable) or str(default)
        name = f"port {text}"
        if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
            yield Check(name, "missing", f"{variable} is no port", f"set {variable} to 1 ... 65535")
        elif _is_free(int(text)):
            yield Check(name, "ok", f"free for the {purpose}")
        elif stack_is_up:
            yield Check(name, "ok", f"in use; the stack is up ({purpose})")
        else:
            yield Check(
                name,
                "missing",
                f"taken by another program; wanted for the {purpose}",
                f"stop that program, or choose another port with {variable}=...",
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection in TIME_WAIT is no holder.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def check_program(program: Program) -> Check:
    """Look for an optional program."""
    path = next((found for name in program.names if (found := _find(name, program))), None)
    if path:
        return Check(program.title, "ok", path, optional=True)
    how = (
        f"apt-get install {program.package}" if shutil.which("apt-get") else "your package manager"
    )
    return Check(program.title, "missing", f"for {program.use}", how, optional=True)


def _find(name: str, program: Program) -> str | None:
    if path := shutil.which(name):
        return path
    if program.folders:
        found = sorted(Path(program.folders).glob(f"*/bin/{name}"))
        return next((str(path) for path in found if os.access(path, os.X_OK)), None)
    return None
