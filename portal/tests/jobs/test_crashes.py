"""Killed wherever it stands, and beside another one, ingest loses nothing and doubles nothing."""

from __future__ import annotations

import random
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from chronicle_contracts import encode
from portal.eventlog.models import LoggedEvent, QuarantinedMessage, StreamCursor
from portal.jobs.verification import Counts, differences

from tests.fixtures.patience import PATIENCE, until
from tests.fixtures.story import Story

CRASHING = Path(__file__).with_name("crashing_ingest.py")
BOUNDARIES = ("received", "appended", "projected", "committed", "deleting", "deleted")

pytestmark = pytest.mark.timeout(300)


def some(jobs):
    stories = [Story.whole(f"job-{n:02}", heartbeats=2) for n in range(jobs)]
    return [event for story in stories for event in story.events]


def is_as_if_nothing_had_happened(events):
    assert sorted(LoggedEvent.objects.values_list("event_id", flat=True)) == sorted(
        event.id for event in events
    )
    assert not list(differences(Counts()))
    assert not any(cursor.has_gap for cursor in StreamCursor.objects.all())
    assert not QuarantinedMessage.objects.exists()


@pytest.mark.parametrize("boundary", BOUNDARIES)
class TestKilled:
    def test_at_a_boundary_loses_and_doubles_nothing(self, bus, manage, monkeypatch, boundary):
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "portal.settings")
        events = some(6)
        bus.publisher().publish([encode(event) for event in events])
        with manage(boundary, script=CRASHING) as dying:
            assert dying.wait(PATIENCE) == -signal.SIGKILL
        # What stands is whole: no event without its fold, no fold without its event.
        assert not list(differences(Counts()))
        with manage("ingest"):
            until(lambda: LoggedEvent.objects.count() == len(events), "all events")
            until(lambda: not any(bus.queue("portal").depth().values()), "an empty queue")
        is_as_if_nothing_had_happened(events)
        assert not any(bus.queue("portal").dead_letters.depth().values())


class TestSideBySide:
    def test_take_in_each_event_once(self, bus, manage, send_again):
        chance = random.Random(11)
        events = some(20)
        bus.publisher().publish([encode(event) for event in chance.sample(events, len(events))])
        send_again(chance.sample(events, 60))
        with ExitStack() as both:
            one, other = (both.enter_context(manage("ingest")) for _ in range(2))
            until(lambda: LoggedEvent.objects.count() > 50, "progress")
            one.kill()
            both.enter_context(manage("ingest"))
            until(lambda: LoggedEvent.objects.count() == len(events), "all events")
            until(lambda: not any(bus.queue("portal").depth().values()), "an empty queue")
            other.send_signal(signal.SIGTERM)
            assert other.wait(PATIENCE) == 0
        is_as_if_nothing_had_happened(events)
