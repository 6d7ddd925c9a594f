"""Waiting longer and longer while something is down."""

from __future__ import annotations

import random
import threading


class Backoff:
    """Pauses of a loop: they double from `first` to `longest` seconds, with some jitter."""

    def __init__(self, *, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        """Begin with the shortest pause again; call it after a success."""
        self._next = self._first

    def pause(self, stop: threading.Event, *, limit: float | None = None) -> None:
        """Wait, but not longer than `limit` seconds and not after `stop` is set."""
        # Jitter keeps many recorders from knocking in step at an endpoint that came back.
        seconds = self._next * random.uniform(0.7, 1.0)  # noqa: S311  not a secret
        self._next = min(self._longest, self._next * 2)
        stop.wait(seconds if limit is None else max(0.0, min(seconds, limit)))
