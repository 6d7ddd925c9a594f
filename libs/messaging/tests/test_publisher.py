"""The publisher against an endpoint that fails as the real one cannot be made to."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError
from chronicle_contracts.portal import JobRequested
from chronicle_messaging import SnsPublisher
from chronicle_messaging.provisioning import Topic

from libs.messaging.tests.cast import event


class Sns:
    """Confirms what it is sent, but for the (job, sequence) that it was told to fail."""

    def __init__(self):
        self.batches = []
        self.failing = set()
        self.down_after = None

    def publish_batch(self, *, TopicArn, PublishBatchRequestEntries):  # noqa: N803  boto3's names
        if self.down_after is not None and len(self.batches) >= self.down_after:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        self.batches.append(PublishBatchRequestEntries)
        answer: dict[str, list[dict[str, str]]] = {"Successful": [], "Failed": []}
        for entry in PublishBatchRequestEntries:
            outcome = "Failed" if place_of(entry) in self.failing else "Successful"
            answer[outcome].append({"Id": entry["Id"], "Code": "InternalError"})
        return answer

    def fail(self, failed):
        self.failing.add((failed.subject, str(failed.id)))

    def confirmed(self):
        return [
            place_of(entry)[1]
            for batch in self.batches
            for entry in batch
            if place_of(entry) not in self.failing
        ]


def place_of(entry):
    return (entry["MessageGroupId"], entry["MessageDeduplicationId"].partition(":")[0])


class StubbedBus:
    """As much of a bus as a publisher needs."""

    def __init__(self, sns):
        self.sns = sns
        self.clients = self
        self.is_doubted = False

    def topic(self):
        return Topic("events", "arn:aws:sns:us-east-1:000000000000:events.fifo", "i1")

    def doubt(self):
        self.is_doubted = True


@pytest.fixture
def sns():
    return Sns()


@pytest.fixture
def bus(sns):
    return StubbedBus(sns)


@pytest.fixture
def publisher(bus):
    return SnsPublisher(bus)


def ids(*events):
    return [str(one.id) for one in events]


class TestPublishing:
    def test_fills_batches_with_ten_jobs(self, sns, publisher):
        assert publisher.publish([event(f"job{n}", 1) for n in range(25)]) == 25
        assert [len(batch) for batch in sns.batches] == [10, 10, 5]

    def test_never_puts_two_events_of_a_job_into_one_batch(self, sns, publisher):
        events = [event(job, n) for n in (1, 2, 3) for job in ("concert", "talk")]
        assert publisher.publish(events) == 6
        for batch in sns.batches:
            groups = [entry["MessageGroupId"] for entry in batch]
            assert len(groups) == len(set(groups))

    def test_keeps_a_batch_under_256_kb(self, sns, publisher):
        fact = JobRequested(url="u" * 60_000, key="k", filename="f")
        assert publisher.publish([event(f"job{n}", 1, fact) for n in range(10)]) == 10
        assert [len(batch) for batch in sns.batches] == [4, 4, 2]

    def test_identifies_each_event_by_job_id_and_life_of_the_topic(self, sns, publisher):
        said = event("concert", 1)
        publisher.publish([said])
        (entry,) = sns.batches[0]
        assert entry["MessageGroupId"] == "concert"
        assert entry["MessageDeduplicationId"] == f"{said.id}:i1"
        assert set(entry["MessageAttributes"]) == {"type", "source", "subject"}

    def test_of_nothing_asks_nobody(self, sns, publisher):
        assert publisher.publish([]) == 0
        assert sns.batches == []


class TestAPartialFailure:
    def test_holds_back_what_follows_in_the_same_job(self, sns, publisher):
        first, second, third = (event("concert", n) for n in (1, 2, 3))
        sns.fail(second)
        assert publisher.publish([first, second, third]) == 1
        assert sns.confirmed() == ids(first)

    def test_lets_other_jobs_go_on(self, sns, publisher):
        lost = event("concert", 1)
        others = [event("talk", n) for n in (1, 2, 3)]
        sns.fail(lost)
        assert publisher.publish([lost, *others]) == 0
        assert sns.confirmed() == ids(*others)

    def test_confirms_only_what_has_no_hole_before_it(self, sns, publisher):
        events = [event(job, n) for n in (1, 2) for job in ("concert", "talk", "match")]
        sns.fail(events[3])  # the second of the concert
        assert publisher.publish(events) == 3

    def test_is_made_good_by_saying_the_rest_again(self, sns, publisher):
        events = [event("concert", n) for n in (1, 2, 3)]
        sns.fail(events[1])
        done = publisher.publish(events)
        sns.failing.clear()
        assert publisher.publish(events[done:]) == 2
        assert sns.confirmed()[-2:] == ids(*events[1:])

    def test_counts_what_was_confirmed_before_the_endpoint_went_away(self, sns, publisher, bus):
        sns.down_after = 2
        assert publisher.publish([event("concert", n) for n in (1, 2, 3, 4)]) == 2
        assert bus.is_doubted, "it may come back with another topic"
