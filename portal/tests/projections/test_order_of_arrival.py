"""Whatever order events arrive in, and however often: every read model ends the same."""

from __future__ import annotations

import random

import pytest
from chronicle_contracts import encode
from chronicle_contracts import portal as p
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.eventlog.entry import Entry
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, ParkedJob, StreamCursor
from portal.jobs.order import canonical, newest_progress
from portal.jobs.readmodel import refold
from portal.projections.registry import PROJECTIONS

from tests.fixtures.story import Story


def recorded(chance):
    """A history as it may be recorded: attempts that fail, retries, gaps, stops, all cut off."""
    story = Story(f"job-{chance.randrange(10**6)}").requested().accepted()
    for _ in range(chance.randint(0, 3)):
        story.launched().recording(heartbeats=chance.randint(0, 4))
        chance.choice([story.lost, story.gap, story.failed, story.stop_asked])()
        if chance.random() < 0.3:
            story.tell(p.RetryRequested())
    story.launched().recording(heartbeats=chance.randint(1, 4)).ended().uploaded().seeded()
    return story.events[: chance.randint(1, len(story.events))]


def all_rows(entries):
    """The rows of every projection, without positions: those are of the arrival."""
    ordered = canonical(newest_progress(entries))
    found = {}
    for projection in PROJECTIONS:
        state = None
        for entry in ordered:
            state = projection.fold(state, entry.event, position=0)
        rows = projection.rows(entries[0].event.subject, state) if state is not None else ()
        found[projection.name] = list(rows)
    return found


class TestFolds:
    @settings(max_examples=150, deadline=None)
    @given(seed=st.integers(0, 2**32), data=st.data())
    def test_end_the_same(self, seed, data):
        events = recorded(random.Random(seed))
        entries = [Entry(event, n) for n, event in enumerate(events, 1)]
        again = data.draw(st.lists(st.sampled_from(entries), max_size=8))
        arrived = data.draw(st.permutations([*entries, *again]))
        assert all_rows(arrived) == all_rows(entries)

    def test_leave_the_state_before_alone(self):
        for projection in PROJECTIONS:
            states = [None]
            for event in Story.whole().events:
                states.append(projection.fold(states[-1], event, position=1))
            again = [None]
            for event in Story.whole().events:
                again.append(projection.fold(states[len(again) - 1], event, position=1))
            assert states == again


def empty():
    for table in (LoggedEvent, StreamCursor, ParkedJob):
        table.objects.all().delete()
    for projection in PROJECTIONS:
        projection.model._default_manager.all().delete()


def read_models():
    """Every row, but for the positions: they say in which order the portal heard it."""
    rows = [
        dict(row)
        for one in PROJECTIONS
        for row in one.model._default_manager.order_by("pk").values()
    ]
    for row in rows:
        for place in (row, *row.get("timeline", ())):
            place.pop("position", None)
    return rows


@pytest.mark.django_db
class TestInbox:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(seed=st.integers(0, 2**32), jobs=st.integers(1, 3))
    def test_makes_the_same_read_models_of_any_delivery(self, seed, jobs):
        chance = random.Random(seed)
        bodies = [encode(one).decode() for _ in range(jobs) for one in recorded(chance)]
        empty()
        for body in bodies:
            Inbox(refold).receive([Arrival(body)])
        in_order = read_models()
        empty()
        bodies += chance.choices(bodies, k=len(bodies) // 2)
        chance.shuffle(bodies)
        while bodies:
            step = chance.randint(1, 12)
            Inbox(refold).receive([Arrival(body) for body in bodies[:step]])
            bodies = bodies[step:]
        assert read_models() == in_order
