"""Graceful shutdown: SIGTERM and SIGINT set one flag that every loop waits on."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def on_termination() -> threading.Event:
    """Return an event that is set at the first SIGTERM or SIGINT; call from the main thread.

    Loops wait on it in place of sleeping, so that a process drains and ends at once.
    """
    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
