"""The relay over real stores and the real endpoint."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_messaging import Bus, Relay
from chronicle_messaging.clients import Clients

from libs.messaging.tests.cast import sequences, take, until, write


@pytest.fixture
def portal(bus):
    return bus.queue("portal")


def lose_topic(bus):
    """Take the topic away; the next one who provisions makes it anew."""
    bus.clients.sns.delete_topic(TopicArn=bus.topic().arn)


def tracked(store, bus):
    topic = bus.topic()
    return store.recorder.max_tracking_id(f"{topic.name}#{topic.incarnation}")


class TestTheRelay:
    def test_says_everything_in_order(self, store, bus, portal, running):
        written = [write(store, job, 5) for job in ("concert", "talk")]
        running(Relay(store.recorder, bus).run)
        messages = take(portal, 10)
        assert sequences(messages, "concert") == [1, 2, 3, 4, 5]
        assert sequences(messages, "talk") == [1, 2, 3, 4, 5]
        assert {one.event().id for one in messages} == {e.id for es in written for e in es}

    def test_says_what_is_saved_later_as_soon_as_it_is_woken(
        self, sqlite_store, bus, portal, running
    ):
        relay = Relay(sqlite_store.recorder, bus, poll=600)
        stop, _ = running(relay.run)
        until(lambda: bus._provisioned)
        write(sqlite_store, "concert")
        relay.wake()
        assert sequences(take(portal, 1), "concert") == [1]
        stop.set()
        relay.wake()

    def test_says_what_another_process_has_saved(self, sqlite_store, bus, portal, running):
        running(Relay(sqlite_store.recorder, bus, poll=0.05).run)
        write(sqlite_store, "concert")
        assert sequences(take(portal, 1), "concert") == [1]

    def test_goes_on_after_its_position(self, store, bus, portal):
        write(store, "concert", 3)
        assert Relay(store.recorder, bus).drain(20)
        take(portal, 3)
        write(store, "concert", 2)
        moved: list[int] = []
        assert Relay(store.recorder, bus, on_progress=moved.append).drain(20)
        assert sequences(take(portal, 2), "concert") == [4, 5]
        assert moved == [5]
        assert tracked(store, bus) == 5

    def test_goes_on_after_a_position_that_it_has_not_saved_yet(
        self, sqlite_store, bus, portal, running
    ):
        moved: list[int] = []
        relay = Relay(
            sqlite_store.recorder, bus, poll=0.05, save_every=600, on_progress=moved.append
        )
        write(sqlite_store, "concert", 2)
        stop, thread = running(relay.run)
        until(lambda: moved == [2])
        write(sqlite_store, "concert", 2)
        until(lambda: moved[-1] == 4)
        assert relay.pending() == 0
        assert tracked(sqlite_store, bus) == 2  # the first move of a process is saved
        # Another one, after a crash, repeats what is not saved; the end of this one saves it.
        other = Relay(sqlite_store.recorder, bus)
        assert other.pending() == 2
        stop.set()
        thread.join(20)
        assert relay.drain(20)
        assert tracked(sqlite_store, bus) == 4
        assert other.pending() == 0
        assert sequences(take(portal, 4), "concert") == [1, 2, 3, 4]

    def test_says_what_is_unsaved_to_a_new_topic(self, sqlite_store, bus, portal):
        relay = Relay(sqlite_store.recorder, bus, save_every=600)
        write(sqlite_store, "concert", 2)
        assert relay.drain(20)
        take(portal, 2)
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(portal.name))
        lose_topic(bus)
        bus.forget()
        write(sqlite_store, "concert")
        assert relay.drain(20)
        assert sequences(take(portal, 3), "concert") == [1, 2, 3]

    def test_knows_how_much_is_unsaid(self, sqlite_store, bus):
        relay = Relay(sqlite_store.recorder, bus)
        write(sqlite_store, "concert", 3)
        assert relay.pending() == 3
        relay.drain(20)
        assert relay.pending() == 0

    def test_skips_nothing_beside_another_relay(self, store, bus, portal, running):
        for _ in range(2):
            beside = Bus(bus.clients, bus.topology, prefix=bus.prefix, provision=True)
            running(Relay(store.recorder, beside, poll=0.01).run)
        for _ in range(10):
            for job in ("concert", "talk"):
                write(store, job)
        messages = take(portal, 20)
        assert sequences(messages, "concert") == list(range(1, 11))
        assert sequences(messages, "talk") == list(range(1, 11))
        until(lambda: tracked(store, bus) == 20)


class TestDraining:
    def test_is_true_when_nothing_is_left(self, sqlite_store, bus, portal):
        for n in range(50):
            write(sqlite_store, f"job{n}", 5)
        assert Relay(sqlite_store.recorder, bus).drain(60)
        assert portal.depth()["visible"] == 250

    def test_is_false_when_the_endpoint_stays_away(self, sqlite_store, aws_of_its_own, bus):
        endpoint = aws_of_its_own()
        away = Clients(region="us-east-1", endpoint_url=endpoint.url)
        endpoint.kill()
        write(sqlite_store, "concert")
        relay = Relay(
            sqlite_store.recorder, Bus(away, bus.topology, prefix=bus.prefix, provision=True)
        )
        assert not relay.drain(0.3)


class TestANewIncarnation:
    def test_hears_everything_again(self, store, bus, portal):
        write(store, "concert", 3)
        relay = Relay(store.recorder, bus)
        relay.drain(20)
        assert len(take(portal, 3)) == 3
        first = bus.incarnation()
        lose_topic(bus)
        bus.forget()
        # The queue outlived its topic here: what it drops as a duplicate would hide the proof.
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(portal.name))
        bus.forget()
        write(store, "concert")
        assert relay.drain(20)
        assert bus.incarnation() != first
        assert sequences(take(portal, 4), "concert") == [1, 2, 3, 4]

    def test_is_noticed_when_nothing_new_happens(self, sqlite_store, bus, portal, running):
        write(sqlite_store, "concert", 2)
        relay = Relay(sqlite_store.recorder, bus, poll=0.05)
        running(relay.run)
        take(portal, 2)
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(portal.name))
        lose_topic(bus)
        assert sequences(take(portal, 2), "concert") == [1, 2]

    def test_does_not_inherit_what_was_confirmed_to_the_one_before(self, sqlite_store, bus):
        """Another process makes the topic anew while this one publishes."""
        write(sqlite_store, "concert", 3)
        relay = Relay(sqlite_store.recorder, bus)
        relay.drain(20)
        old = bus.topic()
        write(sqlite_store, "concert")
        lose_topic(bus)
        other = Bus(bus.clients, bus.topology, prefix=bus.prefix, provision=True)
        assert other.incarnation() != old.incarnation
        assert relay.drain(20)
        # This bus had not noticed; its fourth event reached the new topic before the first
        # three did, and all four were said to it in the end.
        assert tracked(sqlite_store, other) == 4
        life = f"{old.name}#{old.incarnation}"
        assert sqlite_store.recorder.max_tracking_id(life) == 3

    def test_hears_nothing_that_is_older_than_14_days(self, store, bus, portal):
        now = datetime.now(UTC)
        for days in (30, 20, 15, 13, 2, 0):
            write(store, "concert", at=now - timedelta(days=days))
        relay = Relay(store.recorder, bus)
        relay.drain(20)
        take(portal, 6)
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(portal.name))
        lose_topic(bus)
        bus.forget()
        assert relay.drain(20)
        assert sequences(take(portal, 3), "concert") == [4, 5, 6]
        assert portal.receive() == []

    def test_hears_what_was_never_said_however_old_it_is(self, sqlite_store, bus, portal):
        old = datetime.now(UTC) - timedelta(days=40)
        write(sqlite_store, "concert", 2, at=old)
        Relay(sqlite_store.recorder, bus).drain(20)
        take(portal, 2)
        write(sqlite_store, "concert", 2, at=old)
        lose_topic(bus)
        bus.forget()
        assert Relay(sqlite_store.recorder, bus).drain(20)
        assert sequences(take(portal, 2), "concert") == [3, 4]

    def test_hears_the_whole_store_the_first_time(self, sqlite_store, bus, portal):
        write(sqlite_store, "concert", 2, at=datetime.now(UTC) - timedelta(days=400))
        Relay(sqlite_store.recorder, bus).drain(20)
        assert sequences(take(portal, 2), "concert") == [1, 2]


class TestTrouble:
    def test_with_the_store_does_not_end_the_relay(self, sqlite_store, bus, portal, running):
        broken = threading.Event()
        broken.set()

        class Recorder:
            """A recorder whose database is away for a while."""

            def __getattr__(self, name):
                if broken.is_set():
                    raise OSError("disk")
                return getattr(sqlite_store.recorder, name)

        write(sqlite_store, "concert")
        _, thread = running(Relay(Recorder(), bus).run)  # type: ignore[arg-type]
        until(lambda: bus._provisioned)
        broken.clear()
        assert sequences(take(portal, 1), "concert") == [1]
        assert thread.is_alive()
