"""Making durable what grows, every few seconds, whatever the store says to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Protocol

import structlog
from chronicle_storage import GrowingObject, StoreError, Superseded

from recorder.adapters.keeping.growth import Growth
from recorder.adapters.keeping.pieces import size_of

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 60.0  # seconds
# The disk takes what the uplink does not, until it is nearly full: a live stream does not wait.
LAG = 128 * 1024 * 1024  # bytes that are worth a warning


class Evidence(Protocol):
    """What tells how far a file has come, stored before that much of the file is."""

    def settle(self) -> None:
        """Wait, not for long, for a moment that is good for storing all there is."""

    def leave(self) -> None:
        """Store it."""


class Saver:
    """A thread that flushes growing objects every `interval` seconds, and what grows fast sooner.

    Each time `evidence` is left first, of what is in the files by then; of what comes while that
    is stored nothing would tell, so it is not flushed. A store that fails is asked less often.

    Hold `lock` to use the objects elsewhere: they are not made for two threads.
    """

    def __init__(
        self,
        pieces: Iterable[GrowingObject],
        *,
        interval: float,
        evidence: Evidence,
    ) -> None:
        self.lock = threading.Lock()
        # Nothing more is flushed then: the store takes it from a later attempt only.
        self.is_superseded = False
        self._pieces = pieces
        self._interval = interval
        self._evidence = evidence
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a flush that runs may go on for a moment, under the lock."""
        self._stop.set()

    def _run(self) -> None:
        pause, due, has_failed = self._interval, time.monotonic() + self._interval, False
        growth = Growth()
        while not self._stop.wait(self._until_look(due, growth, has_failed)):
            unsaved = self._unsaved()
            growth.see(unsaved)
            is_due = time.monotonic() >= due
            if not is_due and (has_failed or not growth.is_much):
                continue
            stored = self._stored
            if is_due and unsaved >= LAG:
                log.warning("uplink_lags", bytes_waiting=unsaved)
            try:
                self._flush(tail=is_due)
                pause, has_failed = self._interval, False
            except Superseded as error:
                self.is_superseded = True
                log.warning("superseded", reason=str(error))
                return
            except StoreError as error:
                pause, has_failed = min(LONGEST_PAUSE, max(pause, 1.0) * 2), True
                log.warning("flush_failed", error=str(error), next_try=pause)
            except Exception:
                pause, has_failed = LONGEST_PAUSE, True
                log.exception("flush_failed_unexpectedly")
            growth.flushed(self._unsaved(), stored=self._stored - stored)
            if is_due or has_failed:
                due = time.monotonic() + pause

    @staticmethod
    def _until_look(due: float, growth: Growth, has_failed: bool) -> float:
        left = max(0.0, due - time.monotonic())
        return left if has_failed else min(left, growth.pause)

    @property
    def _stored(self) -> int:
        return sum(piece.durable for piece in self._pieces)

    def _unsaved(self) -> int:
        """Bytes in the newest piece, the only one that grows, that the store does not have."""
        newest = next(iter(reversed(list(self._pieces))), None)
        if newest is None:
            return 0
        return max(0, size_of(newest.path) - newest.durable)

    def _flush(self, *, tail: bool) -> None:
        if tail:
            self._evidence.settle()
        sizes = [(piece, size_of(piece.path)) for piece in self._pieces]
        self._evidence.leave()
        for piece, size in sizes:
            with self.lock:
                if self._stop.is_set():
                    return
                piece.flush(tail=tail, upto=size)
