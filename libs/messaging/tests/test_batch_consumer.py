"""The batch consumer on the real endpoint."""

from __future__ import annotations

import threading

import pytest
from chronicle_contracts import Ignore, MalformedEvent, Quarantine, Retry
from chronicle_messaging import QUARANTINE_REASON, BatchConsumer

from libs.messaging.tests.cast import event, sequences, take, until

AT_ONCE = (0.0,)


class Inbox:
    """A reader of batches that keeps what it was given."""

    def __init__(self):
        self.batches = []
        self.outcomes = {}
        self.poison = set()

    def __call__(self, messages):
        bodies = [one.body for one in messages]
        if self.poison & set(bodies):
            raise ZeroDivisionError("poison")
        self.batches.append(messages)
        return {
            one.message_id: self.outcomes.pop(one.body)
            for one in messages
            if one.body in self.outcomes
        }

    def messages(self):
        return [one for batch in self.batches for one in batch]


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def portal(bus):
    return bus.queue("portal")


def is_empty(queue):
    return not any(queue.depth().values())


class TestTheBatchConsumer:
    def test_merges_receives_and_keeps_the_order_of_each_job(self, bus, portal, inbox, running):
        jobs = [f"job{n}" for n in range(30)]
        bus.publisher().publish([event(job, n) for n in (1, 2) for job in jobs])
        running(BatchConsumer(portal, inbox, wait=0).run)
        until(lambda: len(inbox.messages()) == 60)
        until(lambda: is_empty(portal))
        assert max(len(batch) for batch in inbox.batches) > 10
        for job in jobs:
            assert sequences(inbox.messages(), job) == [1, 2]

    def test_takes_no_more_than_it_may(self, bus, portal, inbox, running):
        bus.publisher().publish([event(f"job{n}", 1) for n in range(30)])
        running(BatchConsumer(portal, inbox, most=12, wait=0).run)
        until(lambda: len(inbox.messages()) == 30)
        assert max(len(batch) for batch in inbox.batches) <= 12

    def test_puts_each_message_where_its_outcome_says(self, portal, inbox, running):
        for name in ("fine", "ignored", "retried", "bad"):
            portal.send(name, group=name)
        inbox.outcomes = {
            "ignored": Ignore("known"),
            "retried": Retry("busy", delay=0),
            "bad": Quarantine("two events of one place"),
        }
        running(BatchConsumer(portal, inbox, wait=0).run)
        (dead,) = take(portal.dead_letters, 1)
        assert (dead.body, dead.attributes[QUARANTINE_REASON]) == ("bad", "two events of one place")
        until(lambda: is_empty(portal))
        bodies = [one.body for one in inbox.messages()]
        assert sorted(bodies) == ["bad", "fine", "ignored", "retried", "retried"]

    def test_saves_the_others_from_a_poison_message(self, portal, inbox, running):
        inbox.poison = {"poison"}
        for name in ("first", "poison", "last"):
            portal.send(name, group=name)
        portal.send("behind", group="poison")
        running(BatchConsumer(portal, inbox, wait=0, delays=AT_ONCE).run)
        (dead,) = take(portal.dead_letters, 1)
        assert dead.body == "poison"
        until(lambda: is_empty(portal))
        assert sorted(one.body for one in inbox.messages()) == ["behind", "first", "last"]
        assert is_empty(portal.dead_letters)

    def test_does_not_try_every_message_of_a_batch_when_nothing_goes(self, portal, running):
        calls = []
        works = threading.Event()

        def handle(messages):
            calls.append(len(messages))
            if not works.is_set():
                raise OSError("no database")

        for n in range(10):
            portal.send(f"message {n}", group=f"job{n}")
        running(BatchConsumer(portal, handle, wait=0, delays=AT_ONCE).run)
        until(lambda: len(calls) >= 4)
        works.set()
        until(lambda: is_empty(portal))
        assert calls[:4] == [10, 1, 1, 1]
        assert calls[4] > 1

    def test_retries_a_whole_batch_when_it_is_told_to(self, portal, running):
        calls = []

        def handle(messages):
            calls.append(len(messages))
            if len(calls) == 1:
                raise Retry("database is busy", delay=0)

        for n in range(3):
            portal.send(f"message {n}", group=f"job{n}")
        running(BatchConsumer(portal, handle, wait=0).run)
        until(lambda: is_empty(portal))
        assert sum(calls) == calls[0] + 3

    def test_leaves_bodies_unread(self, portal, inbox, running):
        portal.send("{not json", group="concert")
        running(BatchConsumer(portal, inbox, wait=0).run)
        until(lambda: len(inbox.messages()) == 1)
        with pytest.raises(MalformedEvent):
            inbox.messages()[0].event()

    def test_finishes_its_batch_when_it_is_stopped(self, portal, running):
        begun, finish = threading.Event(), threading.Event()

        def slow(messages):
            begun.set()
            assert finish.wait(60)

        portal.send("one", group="concert")
        stop, thread = running(BatchConsumer(portal, slow, wait=0).run)
        assert begun.wait(60)
        stop.set()
        finish.set()
        thread.join(60)
        assert is_empty(portal)

    def test_keeps_its_batch_hidden_while_it_is_handled(self, hasty_bus, running):
        queue = hasty_bus.queue("portal")
        begun, finish = threading.Event(), threading.Event()
        calls = []

        def slow(messages):
            calls.append(len(messages))
            begun.set()
            assert finish.wait(60)

        queue.send("one", group="concert")
        running(BatchConsumer(queue, slow, wait=0).run)
        assert begun.wait(60)
        assert queue.receive(wait=3) == []
        finish.set()
        until(lambda: is_empty(queue))
        assert calls == [1]

    def test_receives_one_batch_ahead_and_no_more(self, bus, portal, running):
        begun, finish = threading.Event(), threading.Event()
        handled: list[int] = []

        def slow(messages):
            begun.set()
            assert finish.wait(60)
            handled.append(len(messages))

        bus.publisher().publish([event(f"job{n}", 1) for n in range(50)])
        running(BatchConsumer(portal, slow, most=10, wait=0).run)
        assert begun.wait(60)
        until(lambda: portal.depth()["in_flight"] == 20)
        assert portal.depth()["visible"] == 30
        finish.set()
        until(lambda: is_empty(portal))
        assert sum(handled) == 50

    def test_gives_back_what_nobody_has_worked_on(self, bus, portal, running):
        begun, finish = threading.Event(), threading.Event()

        def slow(messages):
            begun.set()
            assert finish.wait(60)

        bus.publisher().publish([event(f"job{n}", 1) for n in range(30)])
        stop, thread = running(BatchConsumer(portal, slow, most=10, wait=0).run)
        assert begun.wait(60)
        until(lambda: portal.depth()["in_flight"] == 20)
        stop.set()
        finish.set()
        thread.join(60)
        assert portal.depth() == {"visible": 20, "in_flight": 0, "delayed": 0}
