"""Topic to queues on the real endpoint: who hears what, in which order, how often."""

from __future__ import annotations

import pytest
from chronicle_contracts import encode
from chronicle_contracts.portal import RecordingDeleted

from libs.messaging.tests.cast import REQUESTED, STOPPED, UPLOADED, event, sequences, take


@pytest.fixture
def publisher(bus):
    return bus.publisher()


class TestDelivery:
    def test_brings_every_event_to_the_portal_as_it_was_written(self, bus, publisher):
        said = event("concert", 1, REQUESTED)
        publisher.publish([said])
        (message,) = take(bus.queue("portal"), 1)
        assert message.body == encode(said).decode()
        assert message.event() == said
        assert message.group == "concert"
        assert message.receive_count == 1
        assert message.attributes == {
            "type": "chronicle.portal.JobRequested.v1",
            "source": "/test",
            "subject": "concert",
        }

    def test_brings_to_each_queue_what_its_filter_lets_through(self, bus, publisher):
        deleted = RecordingDeleted(key="recordings/a.mkv", reason="test")
        facts = [REQUESTED, STOPPED, UPLOADED, deleted, None]
        publisher.publish([event("concert", i, fact) for i, fact in enumerate(facts, 1)])
        assert sequences(take(bus.queue("portal"), 5), "concert") == [1, 2, 3, 4, 5]
        assert sequences(take(bus.queue("dispatcher"), 4), "concert") == [1, 2, 3, 5]
        assert sequences(take(bus.queue("seeder"), 2), "concert") == [3, 4]
        for name in ("portal", "dispatcher", "seeder"):
            assert bus.queue(name).receive() == []

    def test_keeps_the_order_of_each_job(self, bus, publisher):
        jobs = ["concert", "talk", "match"]
        events = [event(job, n) for n in range(1, 31) for job in jobs]
        assert publisher.publish(events) == 90
        messages = take(bus.queue("portal"), 90)
        for job in jobs:
            assert sequences(messages, job) == list(range(1, 31))

    def test_brings_an_event_once_that_was_published_twice(self, bus, publisher):
        publisher.publish([event("concert", 1)])
        publisher.publish([event("concert", 1), event("concert", 2)])
        assert sequences(take(bus.queue("portal"), 2), "concert") == [1, 2]
        assert bus.queue("portal").receive() == []

    def test_carries_characters_that_sqs_refuses(self, bus, publisher):
        said = event("concert", 1, REQUESTED.model_copy(update={"filename": "\uffff \ufffe 🎹 ü"}))
        assert publisher.publish([encode(said)]) == 1
        (message,) = take(bus.queue("portal"), 1)
        assert message.event() == said
        assert "\uffff" not in message.body

    def test_counts_what_waits_and_what_is_in_hand(self, bus, publisher):
        publisher.publish([event("concert", 1), event("talk", 1)])
        queue = bus.queue("portal")
        queue.receive(1)
        assert queue.depth() == {"visible": 1, "in_flight": 1, "delayed": 0}


class TestAQueue:
    def test_takes_a_message_that_is_sent_straight_into_it(self, bus):
        queue = bus.queue("seeder")
        queue.send("replayed", group="concert", attributes={"replayid": "r1"})
        (message,) = take(queue, 1)
        assert (message.body, message.group) == ("replayed", "concert")
        assert message.attributes == {"replayid": "r1"}

    def test_does_not_mind_a_second_deletion(self, bus):
        queue = bus.queue("portal")
        queue.send("once", group="concert")
        received = queue.receive(wait=5)
        assert queue.delete(received) == []
        assert queue.delete(received) == []

    def test_takes_back_what_is_given_back(self, bus):
        queue = bus.queue("portal")
        queue.send("again", group="concert")
        queue.change_visibility(queue.receive(wait=5), 0)
        (message,) = take(queue, 1)
        assert message.receive_count == 2
