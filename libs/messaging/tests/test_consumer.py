"""The consumer on the real endpoint: order, outcomes, redelivery, shutdown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict

import pytest
from chronicle_contracts import Ignore, Quarantine, Retry
from chronicle_messaging import QUARANTINE_REASON, Consumer, MessageConsumer

from libs.messaging.tests.cast import event, take, until

AT_ONCE = (0.0,)


class Heard:
    """A handler that remembers what it was given, and does what it was told for some."""

    def __init__(self):
        self.events = []
        self.outcomes = {}
        self.lock = threading.Lock()

    def __call__(self, event):
        with self.lock:
            self.events.append(event)
            outcomes = self.outcomes.get((event.subject, event.sequence), [])
            outcome = outcomes.pop(0) if outcomes else None
        if outcome is not None:
            raise outcome

    def will(self, job, sequence, *outcomes):
        self.outcomes[(job, sequence)] = list(outcomes)

    def of(self, job):
        with self.lock:
            return [one.sequence for one in self.events if one.subject == job]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def publish(bus):
    return bus.publisher().publish


@pytest.fixture
def portal(bus):
    return bus.queue("portal")


def is_empty(queue):
    return not any(queue.depth().values())


class TestTheConsumer:
    def test_handles_each_job_in_order_and_deletes(self, portal, publish, heard, running):
        publish([event(job, n) for n in range(1, 13) for job in ("concert", "talk")])
        running(Consumer(portal, heard, wait=0).run)
        until(lambda: len(heard.events) == 24)
        assert heard.of("concert") == list(range(1, 13))
        assert heard.of("talk") == list(range(1, 13))
        until(lambda: is_empty(portal))

    def test_handles_jobs_side_by_side(self, portal, publish, running):
        together = threading.Barrier(3)

        def meet(_):
            together.wait(60)

        publish([event(job, 1) for job in ("concert", "talk", "match")])
        running(Consumer(portal, meet, workers=3, wait=0).run)
        until(lambda: is_empty(portal))
        assert not together.broken

    def test_never_handles_two_events_of_a_job_at_once(self, portal, publish, running):
        busy: dict[str, int] = defaultdict(int)
        done = []

        def handle(one):
            busy[one.subject] += 1
            assert busy[one.subject] == 1
            done.append(one)
            busy[one.subject] -= 1

        publish([event(job, n) for n in range(1, 6) for job in ("concert", "talk")])
        for _ in range(2):
            running(Consumer(portal, handle, wait=0, delays=AT_ONCE).run)
        until(lambda: is_empty(portal))
        assert len(done) == 10

    def test_tells_the_handler_nothing_twice_that_it_handled(self, portal, publish, heard, running):
        publish([event("concert", 1)])
        running(Consumer(portal, heard, wait=0).run)
        until(lambda: is_empty(portal) and heard.events)
        publish([event("concert", 1), event("concert", 2)])
        until(lambda: heard.of("concert")[-1:] == [2])
        assert heard.of("concert") == [1, 2]


class TestOutcomes:
    def test_retry_brings_the_message_again_before_its_successors(
        self, portal, publish, heard, running
    ):
        heard.will("concert", 1, Retry("later", delay=0), Retry("later still", delay=0))
        publish([event("concert", n) for n in (1, 2, 3)])
        running(Consumer(portal, heard, wait=0).run)
        until(lambda: len(heard.events) == 5)
        assert heard.of("concert") == [1, 1, 1, 2, 3]
        until(lambda: is_empty(portal))

    def test_retry_lets_other_jobs_go_on(self, portal, publish, heard, running):
        heard.will("concert", 1, Retry("much later", delay=600))
        publish([event("concert", 1), event("concert", 2), event("talk", 1), event("talk", 2)])
        running(Consumer(portal, heard, wait=0).run)
        until(lambda: heard.of("talk") == [1, 2])
        until(lambda: portal.depth()["visible"] == 1)
        assert heard.of("concert") == [1]

    def test_an_unknown_exception_counts_as_retry(self, portal, publish, heard, running):
        heard.will("concert", 1, ZeroDivisionError("a bug"))
        publish([event("concert", 1)])
        running(Consumer(portal, heard, wait=0, delays=AT_ONCE).run)
        until(lambda: is_empty(portal) and heard.events)
        assert heard.of("concert") == [1, 1]

    def test_ignore_deletes(self, portal, publish, heard, running):
        heard.will("concert", 1, Ignore("not ours"))
        publish([event("concert", 1), event("concert", 2)])
        running(Consumer(portal, heard, wait=0).run)
        until(lambda: is_empty(portal) and heard.events)
        assert heard.of("concert") == [1, 2]
        assert is_empty(portal.dead_letters)

    def test_quarantine_moves_to_the_dead_letters_with_its_reason(
        self, portal, publish, heard, running
    ):
        heard.will("concert", 1, Quarantine("its key\nleads out of the store"))
        publish([event("concert", 1), event("concert", 2)])
        running(Consumer(portal, heard, wait=0).run)
        (message,) = take(portal.dead_letters, 1)
        assert message.event() == event("concert", 1)
        assert message.group == "concert"
        assert message.attributes[QUARANTINE_REASON] == "its key leads out of the store"
        assert message.attributes["type"] == event("concert", 1).type
        until(lambda: is_empty(portal))
        assert heard.of("concert") == [1, 2]

    def test_what_is_no_event_is_quarantined(self, portal, heard, running):
        portal.send("{not json", group="concert")
        running(Consumer(portal, heard, wait=0).run)
        (message,) = take(portal.dead_letters, 1)
        assert message.body == "{not json"
        assert "not a Chronicle event" in message.attributes[QUARANTINE_REASON]
        assert heard.events == []

    def test_a_message_that_fails_three_times_is_a_dead_letter(
        self, portal, publish, heard, running
    ):
        heard.will("concert", 1, *[ZeroDivisionError("poison")] * 3)
        publish([event("concert", n) for n in (1, 2, 3)])
        running(Consumer(portal, heard, wait=0, delays=AT_ONCE).run)
        (message,) = take(portal.dead_letters, 1)
        assert message.event().sequence == 1
        until(lambda: is_empty(portal))
        # Its successors are handled once it is given up, and do not die with it.
        assert heard.of("concert") == [1, 1, 1, 2, 3]
        assert is_empty(portal.dead_letters)


class TestWhileAHandlerRuns:
    def test_nobody_else_gets_its_message(self, hasty_bus, running):
        queue = hasty_bus.queue("portal")
        hasty_bus.publisher().publish([event("concert", 1), event("concert", 2)])
        begun, finish = threading.Event(), threading.Event()
        seen = []

        def slow(one):
            seen.append(one.sequence)
            begun.set()
            assert finish.wait(60)

        running(Consumer(queue, slow, wait=0).run)
        assert begun.wait(60)
        # For longer than its visibility timeout another consumer asks for it in vain.
        assert queue.receive(wait=3) == []
        finish.set()
        until(lambda: is_empty(queue))
        assert seen == [1, 2]

    def test_the_queue_may_be_lost(self, bus, portal, publish, running):
        begun, finish = threading.Event(), threading.Event()
        seen = []

        def slow(one):
            seen.append(one.sequence)
            begun.set()
            assert finish.wait(60)

        publish([event("concert", 1)])
        running(Consumer(portal, slow, wait=0).run)
        assert begun.wait(60)
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(portal.name))
        finish.set()
        until(lambda: portal.depth()["visible"] == 0)
        publish([event("concert", 2)])
        until(lambda: seen == [1, 2])


class TestStopping:
    def test_finishes_what_runs_and_gives_back_the_rest(self, portal, publish, running):
        begun, finish = threading.Event(), threading.Event()
        seen = []

        def slow(one):
            seen.append(one.sequence)
            begun.set()
            assert finish.wait(60)

        publish([event("concert", n) for n in (1, 2, 3)])
        stop, thread = running(Consumer(portal, slow, wait=0).run)
        assert begun.wait(60)
        stop.set()
        finish.set()
        thread.join(60)
        assert seen == [1]
        # At once, not after a visibility timeout of a minute.
        assert [one.event().sequence for one in take(portal, 2)] == [2, 3]


CRASHING = """
import sys, time
from chronicle_messaging import Bus, Consumer, MessagingSettings
import threading

def handle(event):
    print(event.sequence, flush=True)
    time.sleep(600)

Consumer(Bus.connect(MessagingSettings()).queue("portal"), handle).run(threading.Event())
"""


class TestACrash:
    def test_brings_its_messages_to_another_consumer_in_order(
        self, hasty_bus, heard, running, aws_env, tmp_path
    ):
        hasty_bus.publisher().publish([event("concert", n) for n in (1, 2, 3)])
        process = subprocess.Popen(
            [sys.executable, "-c", CRASHING],
            env={**os.environ, "CHRONICLE_TOPOLOGY": str(tmp_path / "topology.json")},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "1\n"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        running(Consumer(hasty_bus.queue("portal"), heard, wait=0).run)
        until(lambda: len(heard.events) == 3)
        assert heard.of("concert") == [1, 2, 3]


class TestAStandardQueue:
    def test_is_consumed_message_by_message(self, bus, running):
        queue = bus.queue("objects")
        bodies = {f"object {n}" for n in range(5)}
        for body in bodies:
            queue.send(body, group="")
        seen = []
        running(MessageConsumer(queue, lambda one: seen.append(one.body), wait=0).run)
        until(lambda: is_empty(queue))
        assert set(seen) == bodies
