"""Creating the topology on an endpoint, by several processes at once if need be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from botocore.exceptions import ClientError

from chronicle_messaging.clients import Clients
from chronicle_messaging.errors import MissingResource, code_of, is_missing
from chronicle_messaging.topology import QueueSpec, Topology

log = structlog.get_logger(__name__)

INCARNATION_TAG = "chronicle-incarnation"
# A topic that somebody else made and did not tag (Terraform, the console): it is taken to be the
# same topic for ever.
UNTAGGED = "untagged"

_ROUNDS = 5


@dataclass(frozen=True)
class Topic:
    """A topic that is there; `incarnation` tells it from an earlier one of the same name."""

    name: str
    arn: str
    incarnation: str


def incarnation_of(clients: Clients, arn: str) -> str:
    """Read a topic's incarnation from its tags. Raises ClientError where there is no topic."""
    tags = clients.sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
    return next((tag["Value"] for tag in tags if tag["Key"] == INCARNATION_TAG), UNTAGGED)


class Provisioner:
    """Makes what is missing and mends what differs; doing it again changes nothing."""

    def __init__(self, clients: Clients, topology: Topology, prefix: str) -> None:
        self._clients = clients
        self._topology = topology
        self._prefix = prefix

    def run(self) -> Topic:
        """Return the topic once everything is there: queues, dead-letter queues, subscriptions.

        The order is what keeps events from being lost when an endpoint restarts empty meanwhile
        or when another process does the same at the same time:

        1. the topic, with a new incarnation in the very call that creates it: of several
           creators the first wins, the others read its tag;
        2. the queues, then the subscriptions;
        3. the tag again: if it is still the one of step 1, then all of this was made in one
           life of the endpoint, and what this process publishes reaches every queue.

        Raises `MissingResource` when the endpoint loses things as fast as they are made.
        """
        for _ in range(_ROUNDS):
            try:
                topic = self._topic()
                for name in self._topology.queues:
                    self._dead_letters(name, topic)
                    self._queue(name, topic)
                self._subscriptions(topic)
                if incarnation_of(self._clients, topic.arn) == topic.incarnation:
                    return topic
            except ClientError as error:
                if not is_missing(error):
                    raise
        raise MissingResource(
            f"topic and queues of {self._prefix!r} vanished {_ROUNDS} times while they were made; "
            "is something deleting them, or is the endpoint restarting?"
        )

    def _topic(self) -> Topic:
        name = self._topology.topic_name(self._prefix)
        arn = self._clients.arn("sns", name)
        try:
            return Topic(name, arn, incarnation_of(self._clients, arn))
        except ClientError as error:
            if not is_missing(error):
                raise
        try:
            self._clients.sns.create_topic(
                Name=name,
                Attributes={"FifoTopic": "true", **self._topology.topic.attributes},
                Tags=[{"Key": INCARNATION_TAG, "Value": str(uuid4())}],
            )
            log.info("topic_created", topic=name)
        except ClientError as error:
            # SNS refuses to create a topic that exists with other tags: another process was
            # faster. (The local endpoint ignores the tags of the second call.)
            if not code_of(error).startswith("InvalidParameter"):
                raise
            log.info("topic_created_by_another", topic=name)
        return Topic(name, arn, incarnation_of(self._clients, arn))

    def _dead_letters(self, name: str, topic: Topic) -> None:
        spec = self._topology.queue(name)
        source = self._clients.arn("sqs", self._topology.queue_name(self._prefix, name))
        own = self._topology.dead_letter_name(self._prefix, name)
        attributes = {
            "MessageRetentionPeriod": str(self._topology.dead_letters.retention),
            "RedriveAllowPolicy": json.dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [source]}
            ),
        }
        if spec.subscribed:  # what the topic cannot deliver lands there too
            attributes["Policy"] = self._policy(own, spec, topic)
        self._create(own, spec, attributes)

    def _queue(self, name: str, topic: Topic) -> None:
        spec = self._topology.queue(name)
        own = self._topology.queue_name(self._prefix, name)
        self._create(
            own,
            spec,
            {
                **spec.attributes,
                "VisibilityTimeout": str(spec.visibility_timeout),
                "MessageRetentionPeriod": str(spec.retention),
                "RedrivePolicy": json.dumps(
                    {
                        "deadLetterTargetArn": self._dead_letter_arn(name),
                        "maxReceiveCount": self._topology.dead_letters.max_receives,
                    }
                ),
                "Policy": self._policy(own, spec, topic),
            },
        )

    def _dead_letter_arn(self, name: str) -> str:
        return self._clients.arn("sqs", self._topology.dead_letter_name(self._prefix, name))

    def _policy(self, queue: str, spec: QueueSpec, topic: Topic) -> str:
        """Return who may send: our topic, or S3 on behalf of our account."""
        service, condition = (
            ("sns", {"ArnEquals": {"aws:SourceArn": topic.arn}})
            if spec.subscribed
            else ("s3", {"StringEquals": {"aws:SourceAccount": self._clients.account}})
        )
        return json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": f"{service}.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": self._clients.arn("sqs", queue),
                        "Condition": condition,
                    }
                ],
            }
        )

    def _create(self, name: str, spec: QueueSpec, attributes: Mapping[str, str]) -> None:
        sqs = self._clients.sqs
        try:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except ClientError as error:
            if not is_missing(error):
                raise
            kind = {"FifoQueue": "true"} if spec.fifo else {}
            sqs.create_queue(QueueName=name, Attributes={**kind, **attributes})
            log.info("queue_created", queue=name)
            return
        have = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        differing = _differing(attributes, have)
        if differing:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=differing)
            log.info("queue_mended", queue=name, attributes=sorted(differing))

    def _subscriptions(self, topic: Topic) -> None:
        there = self._subscribed(topic)
        for name, spec in self._topology.queues.items():
            if not spec.subscribed:
                continue
            endpoint = self._clients.arn("sqs", self._topology.queue_name(self._prefix, name))
            attributes = {
                "RawMessageDelivery": "true",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": self._dead_letter_arn(name)}),
            }
            if spec.filter is not None:
                attributes["FilterPolicyScope"] = "MessageAttributes"
                attributes["FilterPolicy"] = json.dumps(spec.filter)
            if endpoint in there:
                self._mend_subscription(there[endpoint], attributes)
                continue
            # Filter and raw delivery in the same call: no event slips through before them.
            self._clients.sns.subscribe(
                TopicArn=topic.arn, Protocol="sqs", Endpoint=endpoint, Attributes=attributes
            )
            log.info("queue_subscribed", queue=name, topic=topic.name)

    def _subscribed(self, topic: Topic) -> dict[str, str]:
        pages = self._clients.sns.get_paginator("list_subscriptions_by_topic").paginate(
            TopicArn=topic.arn
        )
        return {
            one["Endpoint"]: one["SubscriptionArn"]
            for page in pages
            for one in page["Subscriptions"]
            if one["Protocol"] == "sqs"
        }

    def _mend_subscription(self, arn: str, attributes: Mapping[str, str]) -> None:
        sns = self._clients.sns
        have = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        for key, value in _differing(attributes, have).items():
            sns.set_subscription_attributes(
                SubscriptionArn=arn, AttributeName=key, AttributeValue=value
            )
            log.info("subscription_mended", subscription=arn, attribute=key)


def _differing(wanted: Mapping[str, str], have: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if not _same(value, have.get(key))}


def _same(one: str, other: str | None) -> bool:
    if other is None or one == other:
        return one == other
    try:  # policies come back with other spaces, and numbers as texts
        return bool(_texts(json.loads(one)) == _texts(json.loads(other)))
    except ValueError:
        return False


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return str(value)
