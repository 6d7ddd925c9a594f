"""`manage.py ingest`: hear everything that is said, keep it, and fold it."""

from __future__ import annotations

from typing import Any

import structlog
from chronicle_messaging import BatchConsumer, Bus
from chronicle_runtime import on_termination
from django.core.management.base import BaseCommand

from portal.configuration import portal_settings
from portal.eventlog.inbox import Inbox
from portal.jobs.ingestion import Ingestion
from portal.jobs.readmodel import refold

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Run until SIGTERM; a batch that was begun is finished."""

    help = "Consume the portal's queue into the event log and the read models."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Consume until asked to end."""
        stop = on_termination()
        queue = Bus.connect(portal_settings()).queue("portal")
        log.info("ingest_started")
        BatchConsumer(queue, Ingestion(Inbox(refold), stop).handle).run(stop)
        log.info("ingest_stopped")
