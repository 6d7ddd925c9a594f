"""Keeping an eye on work that waits, and a process for it while there is some."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from django.db import DatabaseError, connection

from portal.replay import work

log = structlog.get_logger(__name__)

EVERY = 1.0  # seconds between looks
_GOODBYE = 20.0  # seconds that a worker has to put its work down

WORKER = (sys.executable, str(Path(sys.argv[0]).resolve()), "replays", "work")


class Keeper:
    """Starts `manage.py replays work` when something waits; at the end, asks it to stop.

    In a process of its own a rebuild takes no time from what goes on here, and its memory is
    given back.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, every: float = EVERY) -> None:
        self._command = list(command)
        self._every = every
        self._worker: subprocess.Popen[bytes] | None = None

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set."""
        while not stop.wait(self._every):
            try:
                work.tend()
                if not self._is_at_work() and work.is_waiting():
                    log.info("worker_started")
                    self._worker = subprocess.Popen(self._command)
            except (DatabaseError, OSError) as error:
                log.warning("work_not_looked_after", error=str(error))
            finally:
                connection.close()
        self._end()

    def _is_at_work(self) -> bool:
        return self._worker is not None and self._worker.poll() is None

    def _end(self) -> None:
        if self._worker is None or self._worker.poll() is not None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            # Its record is taken over by the next one.
            self._worker.kill()
            self._worker.wait()
