from __future__ import annotations

import threading

import pytest
from chronicle_contracts import Retry
from chronicle_messaging import Message
from django.db import OperationalError
from portal.eventlog.inbox import Arrival, Inbox, Receipt
from portal.jobs import ingestion
from portal.jobs.ingestion import Ingestion

MESSAGE = Message(
    body="{}", group="concert", receipt="r1", message_id="m1", attributes={"type": "t"}
)


class AilingInbox(Inbox):
    """An inbox whose database is away for the first calls."""

    def __init__(self, failures):
        super().__init__(lambda jobs: None)
        self.failures = failures
        self.received: list[Arrival] = []

    def receive(self, arrivals):
        if self.failures:
            self.failures -= 1
            raise OperationalError("the server closed the connection")
        self.received += arrivals
        return Receipt(stored=[], duplicates=0, quarantined=0)


@pytest.mark.django_db
class TestIngestion:
    def test_passes_on_body_and_attributes(self):
        inbox = AilingInbox(failures=0)
        Ingestion(inbox, threading.Event()).handle([MESSAGE])
        assert inbox.received == [Arrival("{}", {"type": "t", "message_id": "m1"})]

    def test_waits_for_the_database(self, monkeypatch):
        monkeypatch.setattr(ingestion, "FIRST_PAUSE", 0.01)
        inbox = AilingInbox(failures=3)
        Ingestion(inbox, threading.Event()).handle([MESSAGE])
        assert len(inbox.received) == 1

    def test_gives_the_messages_back_when_it_has_to_end_meanwhile(self):
        stop = threading.Event()
        stop.set()
        with pytest.raises(Retry):
            Ingestion(AilingInbox(failures=99), stop).handle([MESSAGE])
