"""SNS and SQS: topology, outbox relay, publisher, consumers; the only home of both."""

from chronicle_messaging.batch_consumer import BatchConsumer
from chronicle_messaging.bus import Bus
from chronicle_messaging.consumer import Consumer, MessageConsumer
from chronicle_messaging.errors import (
    ENDPOINT_TROUBLE,
    MessagingError,
    MissingResource,
    TopologyError,
)
from chronicle_messaging.lambdas import lambda_handler
from chronicle_messaging.message import Message, read_event
from chronicle_messaging.object_created import ObjectCreated, read_objects
from chronicle_messaging.publisher import SnsPublisher
from chronicle_messaging.queue import QUARANTINE_REASON, Queue
from chronicle_messaging.relay import Relay
from chronicle_messaging.repeating import repeating
from chronicle_messaging.settings import MessagingSettings
from chronicle_messaging.topology import Topology, load_topology

__all__ = [
    "ENDPOINT_TROUBLE",
    "QUARANTINE_REASON",
    "BatchConsumer",
    "Bus",
    "Consumer",
    "Message",
    "MessageConsumer",
    "MessagingError",
    "MessagingSettings",
    "MissingResource",
    "ObjectCreated",
    "Queue",
    "Relay",
    "SnsPublisher",
    "Topology",
    "TopologyError",
    "lambda_handler",
    "load_topology",
    "read_event",
    "read_objects",
    "repeating",
]
