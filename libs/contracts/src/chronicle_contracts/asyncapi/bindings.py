"""What SNS and SQS need to know, in the terms of AsyncAPI's bindings.

Source: https://github.com/asyncapi/bindings, sns 0.1.0 and sqs 0.2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Topology = Mapping[str, Any]
"""`infra/topology.json` as it is read from the file."""


def topic_name(topology: Topology, prefix: str) -> str:
    """Return the topic's name in an account."""
    return f"{prefix}-{topology['topic']['name']}.fifo"


def queue_name(topology: Topology, prefix: str, queue: str, suffix: str = "") -> str:
    """Return a queue's name in an account."""
    ending = ".fifo" if topology["queues"][queue].get("fifo", True) else ""
    return f"{prefix}-{queue}{suffix}{ending}"


def topic(topology: Topology, prefix: str) -> dict[str, Any]:
    """Return the binding of the topic's channel."""
    attributes = topology["topic"]["attributes"]
    return {
        "sns": {
            "name": topic_name(topology, prefix),
            "ordering": {
                "type": "FIFO",
                "contentBasedDeduplication": attributes["ContentBasedDeduplication"] == "true",
            },
            "bindingVersion": "0.1.0",
        }
    }


def queue(topology: Topology, prefix: str, name: str) -> dict[str, Any]:
    """Return the binding of a queue's channel, with its dead-letter queue."""
    spec, dead = topology["queues"][name], topology["dead_letters"]
    dead_name = queue_name(topology, prefix, name, dead["suffix"])
    fifo = spec.get("fifo", True)
    binding = {
        "name": queue_name(topology, prefix, name),
        "fifoQueue": fifo,
        "visibilityTimeout": spec["visibility_timeout"],
        "messageRetentionPeriod": spec["retention"],
        "redrivePolicy": {
            "deadLetterQueue": {"name": dead_name},
            "maxReceiveCount": dead["max_receives"],
        },
    }
    scopes = {
        "DeduplicationScope": "deduplicationScope",
        "FifoThroughputLimit": "fifoThroughputLimit",
    }
    attributes = spec.get("attributes", {})
    binding |= {ours: attributes[theirs] for theirs, ours in scopes.items() if theirs in attributes}
    return {
        "sqs": {
            "queue": binding,
            "deadLetterQueue": {
                "name": dead_name,
                "fifoQueue": fifo,
                "messageRetentionPeriod": dead["retention"],
            },
            "bindingVersion": "0.2.0",
        }
    }


def subscriptions(topology: Topology, prefix: str) -> dict[str, Any]:
    """Return the binding of an operation that publishes: which queues the topic feeds."""
    consumers = []
    for name, spec in topology["queues"].items():
        if not spec.get("subscribed", True):
            continue
        consumer: dict[str, Any] = {
            "protocol": "sqs",
            "endpoint": {"name": queue_name(topology, prefix, name)},
            "rawMessageDelivery": True,
        }
        if spec.get("filter"):
            # The binding's own `filterPolicy` knows exact texts only, no prefixes.
            consumer["x-filter-policy"] = spec["filter"]
            consumer["x-filter-policy-scope"] = "MessageAttributes"
        consumers.append(consumer)
    return {"sns": {"consumers": consumers, "bindingVersion": "0.1.0"}}
