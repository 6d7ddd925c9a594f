"""Replay into one consumer's queue, and dead letters, on the real endpoint."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest
from chronicle_contracts import encode
from chronicle_messaging import Bus, Message, MessagingSettings
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import refold
from portal.replay import queues
from portal.replay.errors import Unavailable
from portal.replay.models import Replay
from portal.replay.records import Call
from portal.replay.sending import Selection, replay

from tests.fixtures.commands import columns, everything, manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stack(aws):
    """The environment of a stack that these tests share, one after the other."""
    env = {**aws.env, "CHRONICLE_PREFIX": f"t{uuid4().hex[:10]}"}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in env.items():
            patched.setenv(name, value)
        Bus.connect(MessagingSettings()).topic()
    return env


@pytest.fixture
def bus(stack, monkeypatch):
    """The stack with empty queues."""
    for name, value in stack.items():
        monkeypatch.setenv(name, value)
    found = Bus.connect(MessagingSettings())
    found.provision = False
    for name in queues.names(found):
        for queue in (found.queue(name), found.queue(name).dead_letters):
            if sum(queue.depth().values()):
                found.clients.sqs.purge_queue(QueueUrl=found.url(queue.name))
    return found


def taken(queue, number):
    """Take messages until there are so many, and one look more for what must not be there."""
    found: list[Message] = []
    deadline = time.monotonic() + 60
    while len(found) < number and time.monotonic() < deadline:
        received = queue.receive(wait=1)
        queue.delete(received)
        found += received
    return found + queue.receive()


def dead(bus, name, *bodies, group="concert"):
    """Put messages into a dead-letter queue as a consumer does that gives them up."""
    queue = bus.queue(name)
    for body in bodies:
        queue.send(body, group=group, deduplication_id=uuid4().hex, attributes={"type": "t"})
    while received := queue.receive():
        for message in received:
            queue.quarantine(message, "cannot be handled")


def dead_ids(name):
    return [item["message"] for item in manage("dlq", "list", name, "--json").json["items"]]


class TestReplay:
    def test_reaches_that_consumer_alone(self, bus, hear):
        hear(Story.whole("one"), Story.whole("two"))
        done = manage("replay", "--to", "seeder", "--type", "Uploaded", "--json")
        assert done.code == 0
        assert done.json["counts"] == {"sent": 2}
        messages = taken(bus.queue("seeder"), 2)
        assert sorted(one.group for one in messages) == ["one", "two"]
        for name in ("portal", "dispatcher"):
            assert bus.queue(name).receive() == []

    def test_sends_events_as_they_are_but_for_its_own_id(self, bus, hear):
        hear(Story.whole())
        done = manage("replay", "--to", "seeder", "--type", "Uploaded", "--json")
        (message,) = taken(bus.queue("seeder"), 1)
        event = LoggedEvent.objects.get(type__contains="Uploaded")
        expected = {**json.loads(event.envelope), "replayid": done.json["record"]}
        assert json.loads(message.body) == expected
        assert message.event().id == event.event_id
        assert message.attributes == {
            "type": event.type,
            "source": event.source,
            "subject": "concert",
        }

    def test_is_a_no_op_for_the_portal_itself(self, bus, hear):
        hear(Story.whole())
        before = columns()
        assert manage("replay", "--to", "portal", "--job", "concert").code == 0
        messages = taken(bus.queue("portal"), LoggedEvent.objects.count())
        receipt = Inbox(refold).receive([Arrival(one.body) for one in messages])
        assert (len(receipt.stored), receipt.quarantined) == (0, 0)
        assert receipt.duplicates == len(messages) == LoggedEvent.objects.count()
        assert columns() == before

    def test_keeps_the_order_of_a_job(self, bus, hear):
        hear(Story.whole())
        manage("replay", "--to", "portal", "--all")
        ids = [one.event().id for one in taken(bus.queue("portal"), LoggedEvent.objects.count())]
        assert ids == list(
            LoggedEvent.objects.order_by("position").values_list("event_id", flat=True)
        )

    def test_sends_only_what_the_consumer_would_hear(self, bus, hear):
        hear(Story.whole())
        counts = manage("replay", "--to", "seeder", "--all", "--json").json["counts"]
        assert counts["sent"] == 1
        assert counts["not for it"] == LoggedEvent.objects.count() - 1

    def test_takes_a_span_of_time(self, bus, hear):
        hear(Story("old").requested())
        LoggedEvent.objects.update(received_at="2020-01-01T00:00:00Z")
        hear(Story("new").requested())
        options = ("--to", "dispatcher", "--dry-run", "--json")
        since = manage("replay", *options, "--since", "2021-01-01T00:00:00Z")
        until = manage("replay", *options, "--until", "2021-01-01T00:00:00Z")
        assert since.json["counts"] == until.json["counts"] == {"sent": 1}

    def test_goes_on_where_it_was_interrupted(self, bus, hear):
        hear(Story.whole(heartbeats=1))
        total = LoggedEvent.objects.count()

        def stop(done, _total):
            if done == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replay(Call(progress=stop), "portal", Selection(everything=True))
        record = Replay.objects.get()
        assert (record.outcome, record.done) == ("interrupted", 5)
        done = manage("replay", "--resume", record.pk, "--json")
        assert (done.code, done.json["counts"]) == (0, {"sent": total})
        assert len(taken(bus.queue("portal"), total)) == total
        assert manage("replay", "--resume", record.pk).code == 1

    def test_is_refused_when_it_is_not_said_what_and_to_whom(self, bus):
        assert manage("replay", "--to", "seeder").code == 2
        assert manage("replay", "--all").code == 2
        assert manage("replay", "--to", "objects", "--all").code == 2
        assert manage("replay", "--to", "seeder", "--all", "--rate", "0").code == 2
        assert manage("replay", "--to", "seeder", "--since", "monday").code == 2
        assert manage("replay", "--to", "nobody", "--all").code == 1
        assert manage("replay", "--resume", "no-uuid").code == 1

    def test_sends_and_keeps_nothing_in_a_dry_run(self, bus, hear):
        hear(Story.whole())
        before = everything()
        done = manage("replay", "--to", "seeder", "--all", "--dry-run")
        assert done.code == 0
        assert "dry run: " in done.out
        assert bus.queue("seeder").depth()["visible"] == 0
        assert everything() == before

    def test_fails_with_a_record_when_the_endpoint_is_away(self, bus, hear, monkeypatch):
        hear(Story.whole())
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        done = manage("replay", "--to", "seeder", "--type", "Uploaded")
        assert done.code == 1
        assert "cannot be used" in done.error
        assert Replay.objects.get().outcome == "failed"


class TestForce:
    def test_stands_in_the_message_beside_the_id_of_the_replay(self, bus, hear):
        hear(Story.whole())
        done = manage("replay", "--to", "seeder", "--type", "Uploaded", "--force", "--json")
        (message,) = taken(bus.queue("seeder"), 1)
        event = message.event()
        assert (event.forced_by, event.is_replayed) == (done.json["record"], False)
        assert Replay.objects.get().parameters["force"] is True

    def test_stands_in_no_message_of_a_replay_without_it(self, bus, hear):
        hear(Story.whole())
        event = LoggedEvent.objects.get(type__contains="Uploaded")
        event.envelope = json.dumps({**json.loads(event.envelope), "replayforce": True})
        event.save(update_fields=["envelope"])
        manage("replay", "--to", "seeder", "--type", "Uploaded")
        (message,) = taken(bus.queue("seeder"), 1)
        assert message.event().is_replayed
        assert "replayforce" not in message.body

    def test_holds_for_what_is_resumed(self, bus, hear):
        hear(Story.whole("one"), Story.whole("two"))

        def stop(done, _total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replay(Call(progress=stop), "seeder", Selection(types=("Uploaded",)), force=True)
        record = Replay.objects.get()
        assert manage("replay", "--resume", record.pk).code == 0
        messages = taken(bus.queue("seeder"), 2)
        assert {one.event().forced_by for one in messages} == {str(record.pk)}

    def test_is_nothing_to_the_log_whose_places_are_unique(self, bus, hear):
        hear(Story.whole())
        before = columns()
        assert manage("replay", "--to", "portal", "--job", "concert", "--force").code == 0
        messages = taken(bus.queue("portal"), LoggedEvent.objects.count())
        receipt = Inbox(refold).receive([Arrival(one.body) for one in messages])
        assert (len(receipt.stored), receipt.quarantined) == (0, 0)
        assert receipt.duplicates == LoggedEvent.objects.count()
        assert columns() == before

    @pytest.mark.parametrize("force", [(), ("--force",)])
    def test_or_not_a_request_of_a_job_that_is_over_is_not_sent(self, bus, hear, force):
        failed = Story("failed").requested().launched().failed()
        hear(Story.whole("over"), failed, Story("new").requested())
        done = manage("replay", "--to", "dispatcher", "--type", "JobRequested", *force, "--json")
        assert done.json["counts"] == {"sent": 1, "of jobs that are over": 2}
        (message,) = taken(bus.queue("dispatcher"), 1)
        assert message.group == "new"


class TestDeadLetters:
    def test_are_counted_for_every_queue(self, bus):
        dead(bus, "seeder", "one")
        done = manage("dlq", "list", "--json")
        assert done.code == 1
        assert done.json["counts"] == {"portal": 0, "dispatcher": 0, "seeder": 1, "objects": 0}

    def test_are_listed_and_stay(self, bus):
        body = encode(Story.whole().events[0]).decode()
        dead(bus, "seeder", body, "no event")
        for _ in range(2):
            items = manage("dlq", "list", "seeder", "--json").json["items"]
            assert [item["type"] for item in items] == ["chronicle.portal.JobRequested.v1", None]
            assert {item["reason"] for item in items} == {"cannot be handled"}
        assert manage("dlq", "list", "portal").code == 0

    def test_go_to_their_queue_again_in_order(self, bus):
        bodies = [f"letter {number}" for number in range(13)]
        dead(bus, "seeder", *bodies)
        done = manage("dlq", "redrive", "seeder")
        assert done.code == 0
        assert "13 redriven" in done.out
        messages = taken(bus.queue("seeder"), 13)
        assert [one.body for one in messages] == bodies
        assert {one.group for one in messages} == {"concert"}
        assert messages[0].attributes == {"type": "t"}
        assert manage("dlq", "list", "seeder").code == 0

    def test_go_one_by_one_by_their_ids(self, bus):
        dead(bus, "seeder", "one", "two")
        chosen = dead_ids("seeder")[1]
        done = manage("dlq", "redrive", "seeder", "--message", chosen, "--message", "gone")
        assert done.code == 1
        assert "1 redriven, 1 not found" in done.out
        assert [one.body for one in taken(bus.queue("seeder"), 1)] == ["two"]
        assert len(dead_ids("seeder")) == 1

    def test_stay_in_a_dry_run(self, bus):
        dead(bus, "seeder", "one")
        before = everything()
        assert manage("dlq", "redrive", "seeder", "--dry-run").code == 0
        drop = ("dlq", "drop", "seeder", "--message", dead_ids("seeder")[0], "--reason", "x")
        assert manage(*drop, "--dry-run").code == 0
        assert len(dead_ids("seeder")) == 1
        assert bus.queue("seeder").depth()["visible"] == 0
        assert everything() == before

    def test_are_dropped_with_a_reason_and_kept_in_the_record(self, bus):
        dead(bus, "seeder", "one")
        (message,) = dead_ids("seeder")
        assert manage("dlq", "drop", "seeder", "--message", message).code == 2
        assert manage("dlq", "drop", "seeder", "--reason", "x").code == 2
        assert manage("dlq", "drop", "seeder", "--message", "gone", "--reason", "x").code == 1
        assert manage("dlq", "drop", "seeder", "--message", message, "--reason", "x").code == 0
        record = Replay.objects.get(outcome="done")
        assert record.items[0]["body"] == "one"
        assert dead_ids("seeder") == []

    def test_of_a_standard_queue_can_be_redriven_too(self, bus):
        dead(bus, "objects", "one")
        assert manage("dlq", "redrive", "objects").code == 0
        assert [one.body for one in taken(bus.queue("objects"), 1)] == ["one"]

    def test_are_of_a_queue_that_there_is(self, bus):
        assert manage("dlq", "list", "nobody").code == 1
        assert manage("dlq", "redrive").code == 2


class TestHears:
    def test_knows_prefixes_and_exact_texts_and_lets_other_patterns_pass(self, bus):
        bus.topology.queues["seeder"].filter.update(source=["/here", {"anything-but": "x"}])
        uploaded = "chronicle.recorder.Uploaded.v2"
        assert queues.hears(bus, "seeder", {"type": uploaded, "source": "/here"})
        assert queues.hears(bus, "seeder", {"type": uploaded, "source": "/there"})
        assert not queues.hears(bus, "seeder", {"type": "chronicle.recorder.Heartbeat.v1"})

    def test_an_endpoint_that_is_away_is_a_sentence(self, bus, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        away = queues.connect()
        with pytest.raises(Unavailable, match="cannot be used"), queues.reachable(away):
            away.queue("seeder").depth()
