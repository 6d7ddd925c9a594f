"""One thread at a time for a job; other jobs are not held up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Locks by job, that are there as long as somebody wants them."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._wanted: Counter[str] = Counter()

    @contextmanager
    def of(self, job_id: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the job's turn; yields False where it is taken and `wait` is not wished."""
        with self._guard:
            lock = self._locks.setdefault(job_id, threading.Lock())
            self._wanted[job_id] += 1
        mine = lock.acquire(blocking=wait)
        try:
            yield mine
        finally:
            if mine:
                lock.release()
            with self._guard:
                self._wanted[job_id] -= 1
                if not self._wanted[job_id]:
                    del self._wanted[job_id], self._locks[job_id]
