"""When what grows is to be looked at: it may be worth a flush before one is due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# Between two looks, in seconds. A stream of a usual speed cannot come to a flush's worth before
# one is due; should it speed up, that is seen at the next look.
LOOK_EVERY, LOOK_SELDOM = 1.0, 3.5
LOOK_AT_MOST_EVERY = 0.1
# Of a fast stream, an interval's media would fill the disk and be too much to send at the end.
WORTH_A_FLUSH = 8 * 1024 * 1024  # bytes, a part of an upload
A_BIT = 1024 * 1024  # bytes more than what was not yet a part
HALF_LIFE = 1.0  # seconds without growth after which half the speed is assumed


class Growth:
    """How fast a file grows that is stored flush by flush; sizes are bytes that are not stored."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._speed = math.inf  # nothing is known of it
        self._left = self._unsaved = 0
        self._since = self._looked = clock()
        self._is_behind = False

    @property
    def is_much(self) -> bool:
        """Whether it is worth a flush."""
        return self._unsaved >= WORTH_A_FLUSH

    def see(self, unsaved: int) -> None:
        """Take what a look has found."""
        now, self._unsaved = self._clock(), unsaved
        speed = (unsaved - self._left) / max(now - self._since, 0.001)
        # Media comes in bursts: that none came just now does not say that it comes slowly. While
        # flush follows on flush, looks follow on each other in no time, too.
        known = self._speed if math.isfinite(self._speed) else 0.0
        self._speed = max(speed, known * 0.5 ** ((now - self._looked) / HALF_LIFE))
        self._looked = now

    def flushed(self, left: int, *, stored: int) -> None:
        """Take what a flush has left and stored; that it grows as fast as before is assumed."""
        self._left = self._unsaved = left
        self._since = self._looked = self._clock()
        # Parts become larger in the course of an upload: of less than one nothing is stored.
        self._is_behind = stored > 0 and self.is_much

    @property
    def pause(self) -> float:
        """Seconds until the next look: when it may be much at twice the speed of now."""
        if self._is_behind:
            return 0.0
        if self.is_much:  # and no part yet: one may be full soon
            return min(max(A_BIT / max(self._speed, 1.0), LOOK_AT_MOST_EVERY), LOOK_EVERY)
        if self._speed <= 0:
            return LOOK_SELDOM
        soon = (WORTH_A_FLUSH - self._unsaved) / (2 * self._speed)
        return min(max(soon, LOOK_EVERY), LOOK_SELDOM)
