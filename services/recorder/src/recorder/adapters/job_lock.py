"""One recorder per job at a time, held by the kernel: a killed holder holds nothing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JobIsTaken(Exception):
    """Another recorder of this job runs."""


@contextmanager
def job_lock(folder: Path) -> Iterator[None]:
    """Hold the file `lock` of the work folder. Raises `JobIsTaken`."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobIsTaken(f"{folder / 'lock'} is held by another recorder") from None
        yield
    finally:
        os.close(descriptor)
