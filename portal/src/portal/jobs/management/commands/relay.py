"""`manage.py relay`: say what the portal has saved, and see to the work that waits."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from chronicle_messaging import Bus, Relay
from chronicle_runtime import on_termination
from django.core.management.base import BaseCommand

from portal.configuration import portal_settings
from portal.eventlog.store import outbox
from portal.replay.keeping import Keeper

log = structlog.get_logger(__name__)

POLL = 0.2  # seconds; commands are saved by other processes, which cannot wake this one


class Command(BaseCommand):
    """Run until SIGTERM; what is left unsaid is said after the next start."""

    help = "Publish the portal's own events to the topic; start a process for work that waits."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Publish until asked to end."""
        stop = on_termination()
        relay = Relay(outbox(), Bus.connect(portal_settings()), poll=POLL)
        keeping = threading.Thread(target=Keeper().run, args=(stop,), name="keeper")
        keeping.start()
        log.info("relay_started")
        try:
            relay.run(stop)
        finally:
            stop.set()
            keeping.join()
        log.info("relay_stopped")
