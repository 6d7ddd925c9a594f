"""The endpoint goes away and comes back: with its memory, or without."""

from __future__ import annotations

import pytest
from chronicle_messaging import BatchConsumer, Bus, Consumer, Relay, load_topology
from chronicle_messaging.clients import Clients

from libs.messaging.tests.cast import event, sequences, take, until, write
from tests.fixtures.aws import TOPOLOGY


@pytest.fixture
def endpoint(aws_of_its_own):
    return aws_of_its_own()


@pytest.fixture
def bus(endpoint):
    clients = Clients(region="us-east-1", endpoint_url=endpoint.url)
    return Bus(clients, load_topology(TOPOLOGY), prefix="chronicle", provision=True)


def is_told_in_order(story, heard):
    words = iter(heard)
    return all(word in words for word in story)


class TestAKilledEndpoint:
    def test_loses_no_event_that_was_saved(self, endpoint, bus, sqlite_store, running):
        """Said before, during and after: all of it arrives at a consumer that kept running."""
        heard: list[int] = []
        write(sqlite_store, "concert", 3)
        running(Relay(sqlite_store.recorder, bus, poll=0.05).run)
        until(lambda: bus.queue("portal").depth()["visible"] == 3)
        endpoint.kill()
        write(sqlite_store, "concert", 3)
        running(Consumer(bus.queue("portal"), lambda one: heard.append(one.sequence), wait=1).run)
        endpoint.start()
        write(sqlite_store, "concert", 3)
        # The new topic may hear the newest before the relay knows that all is to be said again;
        # from then on it hears everything in order.
        until(lambda: is_told_in_order(range(1, 10), heard))

    def test_is_found_by_consumers_when_it_is_back(self, endpoint, bus, running):
        heard: list[str] = []
        running(Consumer(bus.queue("portal"), lambda one: heard.append(one.subject), wait=1).run)
        batches: list[str] = []
        running(
            BatchConsumer(
                bus.queue("seeder"), lambda some: batches.extend(one.group for one in some), wait=1
            ).run
        )
        bus.publisher().publish([event("concert", 1)])
        until(lambda: heard == ["concert"])
        endpoint.kill()
        endpoint.start()
        bus.forget()
        bus.queue("seeder").send("talk", group="talk")
        bus.publisher().publish([event("talk", 1)])
        until(lambda: heard == ["concert", "talk"] and batches == ["talk"])


class TestAHalfMadeTopic:
    def test_swallows_nothing(self, endpoint, bus, sqlite_store):
        """A topic that another process has just made anew may have no subscriptions yet."""
        bus.topic()
        endpoint.kill()
        endpoint.start()
        bus.clients.sns.create_topic(
            Name="chronicle-events.fifo",
            Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "false"},
            Tags=[{"Key": "chronicle-incarnation", "Value": "of-another-process"}],
        )
        write(sqlite_store, "concert", 1)
        assert Relay(sqlite_store.recorder, bus).drain(30)
        assert bus.queue("portal").depth()["visible"] == 1


class TestAStoppedEndpoint:
    def test_keeps_messages_and_incarnation(self, endpoint, bus, sqlite_store):
        write(sqlite_store, "concert", 3)
        relay = Relay(sqlite_store.recorder, bus)
        relay.drain(20)
        incarnation = bus.incarnation()
        endpoint.stop()
        endpoint.start()
        bus.forget()
        assert bus.incarnation() == incarnation
        write(sqlite_store, "concert")
        relay.drain(20)
        assert sequences(take(bus.queue("portal"), 4), "concert") == [1, 2, 3, 4]

    def test_does_not_bring_its_old_memory_back_after_a_later_kill(
        self, endpoint, bus, sqlite_store
    ):
        """What was confirmed after the restart must not be lost behind an old snapshot."""
        write(sqlite_store, "concert", 2)
        relay = Relay(sqlite_store.recorder, bus)
        relay.drain(20)
        incarnation = bus.incarnation()
        endpoint.stop()
        endpoint.start()
        write(sqlite_store, "concert", 2)
        assert relay.drain(20)
        endpoint.kill()
        endpoint.start()
        assert relay.drain(20)
        assert bus.incarnation() != incarnation
        assert sequences(take(bus.queue("portal"), 4), "concert") == [1, 2, 3, 4]
