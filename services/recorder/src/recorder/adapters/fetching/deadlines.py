"""Moments by which something must be over, watched by one thread for all of a process.

A `threading.Timer` for each would be a thread for each request. This one is woken only for a
moment that comes before all that it knows of.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONGEST_SLEEP = 60.0  # seconds, where nothing is due; what comes sooner wakes it


class Deadlines:
    """Its thread begins with the first deadline; `act` is called in it, and must return at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._due: dict[int, tuple[float, Callable[[], None]]] = {}
        self._looks_at = 0.0
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Call `act` if the `with` block takes longer."""
        number = self._begin(time.monotonic() + seconds, act)
        try:
            yield
        finally:
            with self._lock:
                self._due.pop(number, None)

    def _begin(self, due: float, act: Callable[[], None]) -> int:
        with self._lock:
            number = next(self._numbers)
            self._due[number] = due, act
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif due < self._looks_at:
                self._woken.set()
        return number

    def _watch(self) -> None:
        while True:
            self._woken.clear()
            now = time.monotonic()
            with self._lock:
                over = [number for number, (due, _) in self._due.items() if due <= now]
                acts = [self._due.pop(number)[1] for number in over]
                # Not for ever where there is none: the next one would have to wake it.
                nexts = [due for due, _ in self._due.values()]
                self._looks_at = min(now + LONGEST_SLEEP, *nexts) if nexts else now + LONGEST_SLEEP
            for act in acts:
                act()
            self._woken.wait(self._looks_at - now)


DEADLINES = Deadlines()
