"""The Lambda functions, over the same handlers, on the real endpoint."""

from __future__ import annotations

from uuid import uuid4

import pytest
from chronicle_contracts import decode, encode
from chronicle_messaging import Bus
from dispatcher.entrypoints import schedule, sqs
from dispatcher.entrypoints.assembled import assembled

from services.dispatcher.tests.cast import REQUEST, asked, until


@pytest.fixture
def bus(messaging_settings, tmp_path, monkeypatch):
    monkeypatch.setenv("CHRONICLE_HOME", str(tmp_path))
    bus = Bus.connect(messaging_settings)
    bus.topic()
    yield bus
    assembled().close()
    assembled.cache_clear()


def record(body, *, group="concert"):
    """A message as SQS hands it to a function."""
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": group},
        "messageAttributes": {},
    }


def heard(bus):
    """What the portal hears next."""
    messages = until(lambda: bus.queue("portal").receive(wait=1), "an event")
    bus.queue("portal").delete(messages)
    return [type(decode(message.body).data).__name__ for message in messages]


FORBIDDEN = REQUEST.model_copy(update={"url": "ftp://127.0.0.1/film"})


class TestQueueFunction:
    def test_handles_a_batch_and_says_what_it_decided(self, bus):
        answer = sqs.handler({"Records": [record(encode(asked(FORBIDDEN)).decode())]}, None)
        assert answer == {"batchItemFailures": []}
        assert heard(bus) == ["JobRejected"]

    def test_puts_aside_what_is_no_event(self, bus):
        answer = sqs.handler({"Records": [record("no event")]}, None)
        assert answer == {"batchItemFailures": []}
        (message,) = until(bus.queue("dispatcher").dead_letters.receive, "the dead letter")
        assert message.body == "no event"


class TestScheduleFunction:
    def test_looks_after_what_waits(self, bus):
        schedule.handler({}, None)
        assert bus.queue("portal").receive() == []
