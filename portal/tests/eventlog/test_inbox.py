from __future__ import annotations

import json
import random
from uuid import uuid4

import pytest
from chronicle_contracts import encode
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, QuarantinedMessage, StreamCursor

from tests.fixtures.story import NOON, Story

pytestmark = pytest.mark.django_db

Reason = QuarantinedMessage.Reason


def arrivals(events):
    return [Arrival(encode(event).decode()) for event in events]


class Projector:
    """Remembers what it was asked to project; can be told to fail."""

    def __init__(self):
        self.jobs: list[set[str]] = []
        self.failing = False

    def __call__(self, jobs):
        if self.failing:
            raise RuntimeError("the projection fails")
        self.jobs.append(set(jobs))


@pytest.fixture
def projector():
    return Projector()


@pytest.fixture
def inbox(projector):
    return Inbox(projector, now=lambda: NOON)


class TestReceive:
    def test_keeps_events_as_they_came(self, inbox, projector):
        events = Story.whole().events
        bodies = [one.body for one in arrivals(events)]
        receipt = inbox.receive([Arrival(body) for body in bodies])
        rows = list(LoggedEvent.objects.order_by("position"))
        assert [row.envelope for row in rows] == bodies
        assert [row.event_id for row in rows] == [event.id for event in events]
        assert [one.position for one in receipt.stored] == [row.position for row in rows]
        assert rows[0].received_at == NOON
        assert projector.jobs == [{"concert"}]

    def test_takes_a_message_in_once_however_often_it_comes(self, inbox, projector):
        batch = arrivals(Story.whole().events)
        inbox.receive(batch)
        receipt = inbox.receive(batch + batch)
        assert (len(receipt.stored), receipt.duplicates) == (0, 2 * len(batch))
        assert LoggedEvent.objects.count() == len(batch)
        assert len(projector.jobs) == 1
        assert QuarantinedMessage.objects.count() == 0

    def test_takes_in_once_what_is_twice_in_one_batch(self, inbox):
        batch = arrivals(Story.whole().events)
        receipt = inbox.receive([one for one in batch for _ in range(2)])
        assert (len(receipt.stored), receipt.duplicates) == (len(batch), len(batch))

    def test_asks_the_database_as_often_for_500_messages_as_for_one(
        self, inbox, django_assert_max_num_queries
    ):
        batch = [
            one for n in range(20) for one in arrivals(Story.whole(f"job-{n}", heartbeats=5).events)
        ]
        with django_assert_max_num_queries(12):
            inbox.receive(batch)
        with django_assert_max_num_queries(12):
            inbox.receive(batch)

    def test_changes_nothing_when_the_projection_fails(self, inbox, projector):
        batch = arrivals(Story.whole().events)
        projector.failing = True
        with pytest.raises(RuntimeError):
            inbox.receive([*batch, Arrival("nonsense")])
        assert not LoggedEvent.objects.exists()
        assert not StreamCursor.objects.exists()
        assert not QuarantinedMessage.objects.exists()
        projector.failing = False
        assert len(inbox.receive(batch).stored) == len(batch)


class TestQuarantine:
    @pytest.mark.parametrize(
        "body", ["", "{}", "null", "\x00", '{"type": "\ud800"}', "[1, 2", '{"specversion":"0.3"}']
    )
    def test_keeps_what_cannot_be_read(self, inbox, body):
        receipt = inbox.receive([Arrival(body, {"message_id": "m1"})])
        kept = QuarantinedMessage.objects.get()
        assert receipt.quarantined == 1
        assert kept.reason == Reason.MALFORMED
        assert kept.attributes == {"message_id": "m1"}

    def test_lets_the_good_ones_of_a_batch_pass(self, inbox):
        batch = arrivals(Story.whole().events)
        receipt = inbox.receive([Arrival("nonsense"), *batch, Arrival("more nonsense")])
        assert (len(receipt.stored), receipt.quarantined) == (len(batch), 2)

    def test_counts_a_message_that_comes_again(self, inbox):
        inbox.receive([Arrival("nonsense")])
        inbox.receive([Arrival("nonsense")])
        assert QuarantinedMessage.objects.get().times == 2

    @pytest.mark.parametrize("together", [True, False])
    def test_keeps_another_event_at_a_taken_place(self, inbox, together):
        event = Story().requested().events[0]
        other = event.model_copy(update={"id": uuid4()})
        for batch in [[event, other]] if together else [[event], [other]]:
            inbox.receive(arrivals(batch))
        kept = QuarantinedMessage.objects.get()
        assert kept.reason == Reason.CONFLICT
        assert "portal/concert#1" in kept.detail
        assert LoggedEvent.objects.get().event_id == event.id

    @pytest.mark.parametrize("together", [True, False])
    def test_keeps_a_known_id_at_another_place(self, inbox, together):
        event = Story().requested().events[0]
        other = event.model_copy(update={"sequence": 7})
        for batch in [[event, other]] if together else [[event], [other]]:
            inbox.receive(arrivals(batch))
        assert QuarantinedMessage.objects.get().reason == Reason.CONFLICT
        assert LoggedEvent.objects.get().sequence == 1

    @pytest.mark.parametrize("together", [True, False])
    def test_keeps_an_event_of_another_job_in_a_stream(self, inbox, together):
        first, second = Story().requested().stop_asked().events
        other = second.model_copy(update={"subject": "other"})
        for batch in [[first, other]] if together else [[first], [other]]:
            inbox.receive(arrivals(batch))
        assert "belongs to job concert" in QuarantinedMessage.objects.get().detail

    @pytest.mark.parametrize(
        "change",
        [
            {"subject": "../etc"},
            {"subject": "x" * 65},
            {"stream": "s" * 256},
            {"source": "a\x00b"},
            {"sequence": 2**63},
        ],
    )
    def test_keeps_what_does_not_fit_the_log(self, inbox, change):
        message = json.loads(encode(Story().requested().events[0])) | change
        inbox.receive([Arrival(json.dumps(message))])
        assert QuarantinedMessage.objects.get().reason == Reason.UNFIT
        assert not LoggedEvent.objects.exists()


class TestCursors:
    def test_tell_how_far_a_stream_was_heard_without_holes(self, inbox):
        events = Story().requested().accepted().launched().recording(heartbeats=8).events
        run = [event for event in events if event.stream == "recorder/concert.1"]
        inbox.receive(arrivals([run[0], run[1], run[4], run[5]]))
        cursor = StreamCursor.objects.get(stream="recorder/concert.1")
        assert (cursor.contiguous, cursor.highest, cursor.has_gap) == (2, 6, True)
        inbox.receive(arrivals([run[2]]))
        cursor.refresh_from_db()
        assert (cursor.contiguous, cursor.highest) == (3, 6)
        inbox.receive(arrivals([run[3]]))
        cursor.refresh_from_db()
        assert (cursor.contiguous, cursor.highest, cursor.has_gap) == (6, 6, False)

    def test_know_that_a_stream_is_complete(self, inbox):
        events = Story.whole().events
        run = [event for event in events if event.stream == "recorder/concert.2"]
        inbox.receive(arrivals(run[-1:]))
        cursor = StreamCursor.objects.get(stream="recorder/concert.2")
        assert cursor.sealed_at_sequence == len(run)
        assert not cursor.is_complete
        inbox.receive(arrivals(run[:-1]))
        cursor.refresh_from_db()
        assert cursor.is_complete

    @pytest.mark.parametrize("seed", range(5))
    def test_end_the_same_in_whatever_order_events_come(self, inbox, seed):
        chance = random.Random(seed)
        events = Story.whole(heartbeats=5).events
        shuffled = events + chance.sample(events, 10)
        chance.shuffle(shuffled)
        while shuffled:
            some = chance.randint(1, 6)
            inbox.receive(arrivals(shuffled[:some]))
            del shuffled[:some]
        assert LoggedEvent.objects.count() == len(events)
        for cursor in StreamCursor.objects.all():
            last = max(one.sequence for one in events if one.stream == cursor.stream)
            assert (cursor.contiguous, cursor.highest) == (last, last)
