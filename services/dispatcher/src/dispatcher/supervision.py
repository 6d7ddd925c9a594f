"""The loop that looks after everything that runs or waits."""

from __future__ import annotations

import threading

import structlog

from dispatcher.handlers import Dispatcher

log = structlog.get_logger(__name__)


class Supervision:
    """Ticks every so many seconds; a tick that fails does not end it."""

    def __init__(self, dispatcher: Dispatcher, *, every: float) -> None:
        self._dispatcher = dispatcher
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Look after the jobs until `stop` is set, first of all now."""
        while True:
            try:
                self._dispatcher.tick()
            except Exception:
                # A database that is away comes back.
                log.exception("supervision_failed")
            if stop.wait(self._every):
                return
