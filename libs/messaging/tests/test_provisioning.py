from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from chronicle_messaging import Bus, MissingResource, load_topology

from libs.messaging.tests.cast import event, take, topology_with
from tests.fixtures.aws import TOPOLOGY


def queue_attributes(bus, queue):
    return bus.clients.sqs.get_queue_attributes(
        QueueUrl=bus.url(queue.name), AttributeNames=["All"]
    )["Attributes"]


def subscriptions(bus):
    """The attributes of all subscriptions, by the name of the queue."""
    sns = bus.clients.sns
    found = sns.list_subscriptions_by_topic(TopicArn=bus.topic().arn)["Subscriptions"]
    return {
        one["Endpoint"].rsplit(":", 1)[1]: sns.get_subscription_attributes(
            SubscriptionArn=one["SubscriptionArn"]
        )["Attributes"]
        for one in found
    }


def another(bus, topology=None, *, provision=True):
    """A bus of another process: it knows nothing of what the first has found."""
    return Bus(bus.clients, topology or bus.topology, prefix=bus.prefix, provision=provision)


@pytest.fixture
def bystander(bus):
    """A bus that may not create anything."""
    return another(bus, provision=False)


class TestProvisioning:
    def test_makes_a_fast_fifo_topic(self, bus):
        attributes = bus.clients.sns.get_topic_attributes(TopicArn=bus.topic().arn)["Attributes"]
        assert attributes["FifoTopic"] == "true"
        assert attributes["FifoThroughputScope"] == "MessageGroup"
        assert attributes["ContentBasedDeduplication"] == "false"

    def test_makes_fast_fifo_queues_with_dead_letters(self, bus):
        attributes = queue_attributes(bus, bus.queue("portal"))
        assert attributes["DeduplicationScope"] == "messageGroup"
        assert attributes["FifoThroughputLimit"] == "perMessageGroupId"
        redrive = json.loads(attributes["RedrivePolicy"])
        dead = queue_attributes(bus, bus.queue("portal").dead_letters)
        assert redrive == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 3}
        assert dead["MessageRetentionPeriod"] == str(14 * 86_400)
        assert json.loads(dead["RedriveAllowPolicy"])["sourceQueueArns"] == [attributes["QueueArn"]]

    def test_lets_only_the_topic_and_s3_send(self, bus):
        topic = json.loads(queue_attributes(bus, bus.queue("portal"))["Policy"])["Statement"][0]
        assert topic["Principal"] == {"Service": "sns.amazonaws.com"}
        assert topic["Condition"] == {"ArnEquals": {"aws:SourceArn": bus.topic().arn}}
        s3 = json.loads(queue_attributes(bus, bus.queue("objects"))["Policy"])["Statement"][0]
        assert s3["Principal"] == {"Service": "s3.amazonaws.com"}

    def test_subscribes_the_event_queues_raw(self, bus):
        found = subscriptions(bus)
        assert set(found) == {bus.queue(name).name for name in ("portal", "dispatcher", "seeder")}
        assert {one["RawMessageDelivery"] for one in found.values()} == {"true"}
        assert not found[bus.queue("portal").name].get("FilterPolicy")

    def test_changes_nothing_when_done_again(self, bus):
        first = bus.incarnation()
        before = subscriptions(bus)
        again = another(bus)
        assert again.incarnation() == first
        assert subscriptions(again) == before

    def test_ends_in_one_incarnation_when_many_do_it_at_once(self, bus):
        buses = [another(bus) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            incarnations = set(pool.map(Bus.incarnation, buses))
        assert len(incarnations) == 1
        assert len(subscriptions(buses[0])) == 3

    def test_mends_what_differs_from_the_topology(self, bus, tmp_path):
        bus.topic()
        path = topology_with(tmp_path / "new.json", TOPOLOGY, visibility_timeout=77)
        changed = json.loads(path.read_text())
        changed["queues"]["seeder"]["filter"] = {"type": ["chronicle.recorder.Uploaded.v1"]}
        path.write_text(json.dumps(changed))
        other = another(bus, load_topology(path))
        other.topic()
        assert queue_attributes(other, other.queue("portal"))["VisibilityTimeout"] == "77"
        policy = subscriptions(other)[other.queue("seeder").name]["FilterPolicy"]
        assert json.loads(policy) == changed["queues"]["seeder"]["filter"]

    def test_gives_a_topic_made_anew_another_incarnation(self, bus):
        first = bus.topic()
        bus.clients.sns.delete_topic(TopicArn=first.arn)
        assert not bus.is_current(first)
        assert bus.incarnation() != first.incarnation


class TestWithoutPermissionToCreate:
    def test_names_the_topic_that_is_missing(self, bystander, chronicle_prefix):
        with pytest.raises(MissingResource, match=f"no topic {chronicle_prefix}-events.fifo"):
            bystander.publisher().publish([event("concert", 1)])

    def test_names_the_queue_that_is_missing(self, bystander, chronicle_prefix):
        with pytest.raises(MissingResource, match=f"no queue {chronicle_prefix}-portal.fifo"):
            bystander.queue("portal").receive()

    def test_uses_what_others_have_made(self, bystander, bus):
        bus.topic()
        assert bystander.incarnation() == bus.incarnation()
        assert bystander.publisher().publish([event("concert", 1)]) == 1
        assert len(take(bystander.queue("portal"), 1)) == 1


class TestHealing:
    def test_makes_a_deleted_queue_again(self, bus):
        queue = bus.queue("portal")
        bus.clients.sqs.delete_queue(QueueUrl=bus.url(queue.name))
        assert queue.receive() == []
        bus.publisher().publish([event("concert", 1)])
        assert len(take(queue, 1)) == 1

    def test_publishes_to_a_topic_made_again(self, bus):
        publisher = bus.publisher()
        bus.clients.sns.delete_topic(TopicArn=bus.topic().arn)
        assert publisher.publish([event("concert", 1)]) == 0
        assert publisher.publish([event("concert", 1)]) == 1
        assert len(take(bus.queue("portal"), 1)) == 1
