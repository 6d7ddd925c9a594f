"""The loops of a process, a thread each: it ends as a whole, never in parts."""

from __future__ import annotations

import threading
from collections.abc import Callable

Loop = Callable[[threading.Event], None]


def start_loop(name: str, run: Loop, stop: threading.Event) -> threading.Thread:
    """Start a loop that goes on until `stop` is set.

    Should it end by an error, it sets `stop`: what is left of the process ends in good order,
    and whoever started it starts it anew.
    """

    def loop() -> None:
        try:
            run(stop)
        finally:
            stop.set()

    thread = threading.Thread(target=loop, name=name)
    thread.start()
    return thread
