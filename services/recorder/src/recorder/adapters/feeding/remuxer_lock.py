"""Knowing when the remuxers of an attempt that was killed have finalised their files.

A remuxer outlives a killed recorder for a moment. It inherits a file descriptor with a shared
lock, so the lock is free exactly when the last of them is gone; no process ids, no reuse.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class RemuxerLock:
    """The file `remuxer.lock` in the job's work folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "remuxer.lock"

    @contextmanager
    def held_by_child(self) -> Iterator[int]:
        """Yield a descriptor to be inherited; the lock is held as long as the child has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield descriptor
        finally:
            os.close(descriptor)

    def wait_until_free(self, timeout: float) -> bool:
        """Return True when no remuxer is left, False when `timeout` seconds are over."""
        deadline = time.monotonic() + timeout
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        return False
                    time.sleep(0.05)
                else:
                    return True
        finally:
            os.close(descriptor)
