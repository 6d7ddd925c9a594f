"""From the portal's queue into the inbox."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog
from chronicle_contracts import Retry
from chronicle_messaging import Message
from django.db import InterfaceError, OperationalError, connection

from portal.eventlog.inbox import Arrival, Inbox

log = structlog.get_logger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0


class Ingestion:
    """Takes batches of messages into the inbox; while the database is away it waits for it.

    A batch that failed for the database's sake is not counted against its messages: else an
    outage would move good events to the dead-letter queue.
    """

    def __init__(self, inbox: Inbox, stop: threading.Event) -> None:
        self._inbox = inbox
        self._stop = stop

    def handle(self, messages: Sequence[Message]) -> None:
        """Take in a batch; it may be deleted from the queue once this has returned."""
        arrivals = [
            Arrival(one.body, {**one.attributes, "message_id": one.message_id}) for one in messages
        ]
        pause = FIRST_PAUSE
        while True:
            try:
                receipt = self._inbox.receive(arrivals)
            except (OperationalError, InterfaceError) as error:
                # The next attempt opens a connection of its own.
                connection.close()
                log.warning("database_unavailable", error=str(error), pause=pause)
                if self._stop.wait(pause):
                    raise Retry("the database is not available", delay=0) from error
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                log.debug(
                    "batch_ingested",
                    stored=len(receipt.stored),
                    duplicates=receipt.duplicates,
                    quarantined=receipt.quarantined,
                )
                return
