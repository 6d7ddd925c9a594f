"""`manage.py relay`: say what the portal has saved."""

from __future__ import annotations

from typing import Any

import structlog
from chronicle_messaging import Bus, Relay
from chronicle_runtime import on_termination
from django.core.management.base import BaseCommand

from portal.configuration import portal_settings
from portal.eventlog.store import outbox

log = structlog.get_logger(__name__)

POLL = 0.2  # seconds; commands are saved by other processes, which cannot wake this one


class Command(BaseCommand):
    """Run until SIGTERM; what is left unsaid is said after the next start."""

    help = "Publish the portal's own events to the topic."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Publish until asked to end."""
        stop = on_termination()
        relay = Relay(outbox(), Bus.connect(portal_settings()), poll=POLL)
        log.info("relay_started")
        relay.run(stop)
        log.info("relay_stopped")
