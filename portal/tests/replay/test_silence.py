"""Replaying publishes nothing by itself: what was said is said once, whatever is made of it."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest
from chronicle_contracts import encode
from chronicle_messaging import Bus, MessagingSettings, Relay
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, RelayPosition, StoredEvent
from portal.eventlog.store import outbox
from portal.jobs.commands import request_job, stop_job
from portal.jobs.readmodel import refold
from portal.jobs.requests import JobRequest
from portal.replay import queues

from portal.tests.projections.test_order_of_arrival import recorded
from tests.fixtures.commands import manage
from tests.fixtures.story import URL, Story

pytestmark = pytest.mark.django_db

# Every verb that looks at the past or folds it anew, with what it is called with.
VERBS = {
    "rebuild and swap": (["rebuild"], ["swap"]),
    "rollback": (["rebuild"], ["swap"], ["rollback"]),
    "verify": (["verify"],),
    "as-of": (["as_of", "whole", "--position", "999999999"],),
    "gaps": (["gaps"],),
    "parked": (["parked", "list"], ["parked", "retry"]),
    "skip": (["parked", "skip", "bad", "--reason", "nonsense"],),
    "quarantine": (["quarantine", "list"],),
}


def said():
    """What was ever said by the portal, and how much of it was published."""
    positions = RelayPosition.objects.order_by("name").values_list("name", "notification_id")
    return list(StoredEvent.objects.order_by("id").values()), list(positions)


@pytest.fixture
def system(hear, poison):
    """Own events, those of others, a job that cannot be folded."""
    request_job(JobRequest(url=URL, id="own-1"))
    stop_job("own-1")
    hear(Story.whole("whole"))
    poison(Story.whole("bad"), 1)
    Inbox(refold).receive([Arrival("{broken")])


@pytest.fixture
def bus(aws, monkeypatch):
    """Real queues of their own."""
    env = {**aws.env, "CHRONICLE_PREFIX": f"t{uuid4().hex[:10]}"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    found = Bus.connect(MessagingSettings())
    found.topic()
    return found


def heard(bus):
    """How many messages lie in each queue, after the relay has said what is unsaid."""
    assert Relay(outbox(), bus).drain(20)
    return {name: sum(bus.queue(name).depth().values()) for name in queues.names(bus)}


class TestOutbox:
    @pytest.mark.parametrize("verb", VERBS)
    def test_is_as_it_was_after(self, system, verb):
        before = said()
        for call in VERBS[verb]:
            manage(*call)
        assert said() == before

    def test_is_as_it_was_after_an_import(self, system, tmp_path):
        file = tmp_path / "log.jsonl"
        assert manage("export", file).code == 0
        before = said()
        assert "1 parked" in manage("import", file).out
        assert said() == before

    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(seed=st.integers(0, 2**32))
    def test_is_as_it_was_after_any_history_is_folded_anew(self, db, seed):
        events = recorded(random.Random(seed))
        Inbox(refold).receive([Arrival(encode(event).decode()) for event in events])
        before = said()
        refold({event.subject for event in events})
        assert manage("rebuild", "--fresh").code in {0, 1}
        assert said() == before


class TestQueues:
    def test_hear_nothing_of_a_rebuild(self, bus, system):
        before = heard(bus)
        assert before["portal"] == StoredEvent.objects.count() > 0
        for calls in VERBS.values():
            for call in calls:
                manage(*call)
        assert heard(bus) == before

    def test_hear_a_replay_in_one_place_alone(self, bus, system):
        before = heard(bus)
        done = manage("replay", "--to", "seeder", "--all", "--json")
        sent = done.json["counts"]["sent"]
        assert sent == LoggedEvent.objects.filter(type__contains=".Uploaded.").count() == 2
        assert heard(bus) == {**before, "seeder": before["seeder"] + sent}
