"""Sending not more than so many a second."""

from __future__ import annotations

import time

from portal.replay.errors import BadParameters


class Pace:
    """Waits between messages; `rate` is messages a second, None as many as can be."""

    def __init__(self, rate: float | None) -> None:
        if rate is not None and rate <= 0:
            raise BadParameters(f"the rate is {rate:g}; it must be above 0", field="rate")
        self._gap = 0.0 if rate is None else 1.0 / rate
        self._next = time.monotonic()

    def wait(self) -> None:
        """Return when the next message may go."""
        pause = self._next - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._next = max(self._next, time.monotonic() - self._gap) + self._gap
