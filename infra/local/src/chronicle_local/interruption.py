"""Ctrl-C, SIGTERM and a closed terminal: the first asks to stop, another one to hurry with it."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupted(BaseException):
    """Somebody asked us to stop. Not an `Exception`: no handler of errors may swallow it."""


class Interruption:
    """Raises `Interrupted` in the main thread at the first signal, and only then.

    A second signal sets `hurry`, so that a stop under way is never torn apart.
    """

    def __init__(self) -> None:
        self.hurry = False
        self._armed = True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def disarm(self) -> None:
        """Stop raising: from here on everything is being stopped anyway."""
        self._armed = False

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise Interrupted
        self.hurry = True
