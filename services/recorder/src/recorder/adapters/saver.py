"""Making durable what grows, every few seconds, whatever the store says to it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import structlog
from chronicle_storage import GrowingObject, StoreError

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 60.0  # seconds


class Saver:
    """A thread that flushes growing objects; a store that fails is asked less often.

    Hold `lock` to use the objects elsewhere: they are not made for two threads.
    """

    def __init__(self, pieces: Iterable[GrowingObject], *, interval: float) -> None:
        self.lock = threading.Lock()
        self._pieces = pieces
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a flush that runs may go on for a moment, under the lock."""
        self._stop.set()

    def _run(self) -> None:
        pause = self._interval
        while not self._stop.wait(pause):
            try:
                self._flush()
                pause = self._interval
            except StoreError as error:
                pause = min(LONGEST_PAUSE, max(pause, 1.0) * 2)
                log.warning("flush_failed", error=str(error), next_try=pause)
            except Exception:
                pause = LONGEST_PAUSE
                log.exception("flush_failed_unexpectedly")

    def _flush(self) -> None:
        for piece in self._pieces:
            with self.lock:
                if self._stop.is_set():
                    return
                piece.flush()
