"""Graceful shutdown: SIGTERM and SIGINT set one flag that every loop waits on."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def on_termination(waking: threading.Event | None = None) -> threading.Event:
    """Return an event that is set at the first SIGTERM or SIGINT; call from the main thread.

    Loops wait on it in place of sleeping, so that a process drains and ends at once. A loop that
    waits for other news, too, gives the event that it waits on: `waking` is set with each signal.
    """
    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        if waking is not None:
            waking.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
