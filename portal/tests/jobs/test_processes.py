"""Ingest and relay as real processes, on the real endpoint."""

from __future__ import annotations

import random
import signal

import pytest
from chronicle_contracts import encode
from portal.eventlog.entry import Entry
from portal.eventlog.models import LoggedEvent, QuarantinedMessage, RelayPosition, StreamCursor
from portal.eventlog.store import outbox
from portal.jobs import commands
from portal.jobs.models import Job
from portal.jobs.projection import fold_history
from portal.jobs.readmodel import state_of
from portal.jobs.requests import JobRequest
from portal.jobs.verification import Counts, differences

from tests.fixtures.patience import PATIENCE, until
from tests.fixtures.story import URL, Story

pytestmark = pytest.mark.timeout(300)


def ended_cleanly(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE) == 0


class TestIngest:
    def test_makes_of_shuffled_repeated_and_foreign_messages_what_they_are_in_order(
        self, bus, manage, send, send_again
    ):
        chance = random.Random(7)
        stories = [Story.whole(f"job-{n}", heartbeats=4) for n in range(6)]
        events = [event for story in stories for event in story.events]
        shuffled = chance.sample(events, len(events))
        bus.publisher().publish([encode(event) for event in shuffled])
        send_again(chance.sample(events, 40))
        last = Story("last").requested().events
        with manage("ingest") as process:
            until(lambda: LoggedEvent.objects.count() == len(events), "the events")
            send_again([*last, events[0]])
            send("not an event", group="stranger")
            until(lambda: Job.objects.filter(id="last").exists(), "the last one")
            until(QuarantinedMessage.objects.exists, "the quarantine")
            assert ended_cleanly(process)
        assert LoggedEvent.objects.count() == len(events) + 1
        assert QuarantinedMessage.objects.get().body == "not an event"
        for story in stories:
            positions = dict(
                LoggedEvent.objects.filter(job_id=story.job_id).values_list("event_id", "position")
            )
            in_order = [Entry(event, positions[event.id]) for event in story.events]
            assert state_of(Job.objects.get(id=story.job_id)) == fold_history(in_order)

    def test_loses_and_doubles_nothing_when_it_is_killed_again_and_again(self, bus, manage):
        events = [
            event for n in range(30) for event in Story.whole(f"job-{n:02}", heartbeats=4).events
        ]
        bus.publisher().publish([encode(event) for event in events])
        for _ in range(2):
            heard = LoggedEvent.objects.count()
            with manage("ingest") as process:
                until(LoggedEvent.objects.all()[heard:].exists, "progress")
                process.kill()
                process.wait(30)
            assert not list(differences(Counts()))
        with manage("ingest") as process:
            until(lambda: LoggedEvent.objects.count() >= len(events), "all events")
            assert ended_cleanly(process)
        assert sorted(LoggedEvent.objects.values_list("event_id", flat=True)) == sorted(
            event.id for event in events
        )
        assert not list(differences(Counts()))
        assert {job.status for job in Job.objects.all()} == {"COMPLETED"}
        assert not any(cursor.has_gap for cursor in StreamCursor.objects.all())
        assert not bus.queue("portal").dead_letters.receive()


class TestRelay:
    def test_says_what_was_asked_and_ingest_hears_nothing_new_in_it(self, bus, manage, send_again):
        bus.url(bus.queue("portal").name)  # what is said before the queue is there, nobody hears
        commands.request_job(JobRequest(url=URL, id="concert"))
        with manage("relay") as relay, manage("ingest") as ingest:
            until(lambda: said(1), "the first")
            commands.extend_job("concert", 90)
            job = commands.stop_job("concert")
            until(lambda: said(3), "all of it")
            send_again(Story("marker").requested().events)
            until(lambda: Job.objects.filter(id="marker").exists(), "what came after it")
            assert ended_cleanly(relay)
            assert ended_cleanly(ingest)
        assert LoggedEvent.objects.filter(job_id="concert").count() == 3
        assert state_of(Job.objects.get(id="concert")) == state_of(job)


def said(count):
    """Return whether the relay has moved its position past so many events."""
    newest = outbox().select_notifications(None, count)[-1].id
    return RelayPosition.objects.filter(notification_id__gte=newest).exists()
