"""The files by which launcher, dispatchers and recorder meet in the work folder of a job."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def run_file(work: Path, attempt: int) -> Path:
    """Return where the reference of an attempt's process is kept."""
    return work / f"run-{attempt}.json"


def log_file(work: Path, attempt: int) -> Path:
    """Return where an attempt's output goes."""
    return work / f"run-{attempt}.log"


def control_file(work: Path) -> Path:
    """Return where the recorder reads what is wanted of it."""
    return work / "control.json"


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file says, None where it is absent or not whole."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file in one move, so that nobody ever reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def launching(work: Path) -> Iterator[None]:
    """Hold the right to launch for a job, against other processes and threads.

    The folder is there then: where the janitor removed it while we waited, it is made anew.
    """
    with contextlib.ExitStack() as held:
        while True:
            work.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                lock = held.enter_context((work / "launch.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
                if os.fstat(lock.fileno()).st_ino == (work / "launch.lock").stat().st_ino:
                    break
            except FileNotFoundError:
                continue  # removed in the middle of this
        yield
