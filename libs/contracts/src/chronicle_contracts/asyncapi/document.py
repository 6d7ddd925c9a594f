"""The document: channels and operations from the topology, messages from the models."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from chronicle_contracts.asyncapi import bindings, payloads
from chronicle_contracts.asyncapi.bindings import Topology
from chronicle_contracts.catalogue import EventType, event_types
from chronicle_contracts.subscriptions import consumers

Document = dict[str, Any]

EVENTS = "events"
ABOUT = """\
Everything that happens to a recording, as CloudEvents 1.0 in structured JSON.

Services publish to one FIFO topic; the message group is the job, so that the events of a job
stay in order. Each consumer has a queue of its own behind a filter. Delivery is at least once:
the event's `id` tells repetitions. `stream` and `sequence` (1, 2, 3 ... without holes) tell what
is missing, `sealed` marks the last event of a stream.

Readers keep fields and types that they do not know. A version gains optional fields only;
whatever would break a reader is a new version, and old versions stay readable for good.
"""


def document(topology: Topology, *, prefix: str = "chronicle") -> Document:
    """Return the AsyncAPI document of a topology; `prefix` begins the names of topic and queues."""
    types = event_types()
    schemas, names = payloads.schemas(types)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:chronicle:events",
        "info": {
            "title": "Chronicle events",
            "version": version("chronicle-contracts"),
            "description": ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "sns": _server("sns", "The topic that all services publish to."),
            "sqs": _server("sqs", "The queues, one for each consumer."),
        },
        "channels": _channels(topology, prefix, types),
        "operations": _operations(topology, types),
        "components": {
            "schemas": schemas,
            "messages": {one.type: _message(one, names[one.model]) for one in types},
            "messageTraits": {"envelope": _ENVELOPE},
            "operationBindings": {"subscriptions": bindings.subscriptions(topology, prefix)},
        },
    }


def text(made: Document) -> str:
    """Return a document as it is kept in a file."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _server(protocol: str, description: str) -> Document:
    return {
        "host": f"{protocol}.{{region}}.amazonaws.com",
        "protocol": protocol,
        "description": description,
        "variables": {"region": {"default": "us-east-1", "description": "the AWS region"}},
    }


_ENVELOPE: Document = {
    "contentType": "application/cloudevents+json",
    "headers": {
        "type": "object",
        "description": "SNS message attributes; subscriptions filter by them.",
        "required": ["type", "source", "subject"],
        "properties": {
            "type": {"type": "string", "description": "the event's type"},
            "source": {"type": "string", "description": "who says it"},
            "subject": {"type": "string", "description": "the job"},
        },
    },
    "correlationId": {"location": "$message.payload#/correlationid", "description": "the job"},
}


def _message(one: EventType, schema_name: str) -> Document:
    example = one.example
    message: Document = {
        "name": one.type,
        "title": f"{one.name} (v{one.version})",
        "summary": one.summary,
        "description": one.description,
        "tags": [{"name": one.publisher}],
        "traits": [{"$ref": "#/components/messageTraits/envelope"}],
        "payload": payloads.payload(one, schema_name),
        "examples": [
            {
                "name": one.name,
                "headers": {name: example[name] for name in ("type", "source", "subject")},
                "payload": example,
            }
        ],
    }
    if one.is_superseded:
        message["tags"].append({"name": "superseded", "description": "read, but written no more"})
    return message


def _references(types: Iterable[EventType]) -> Document:
    return {one.type: {"$ref": f"#/components/messages/{one.type}"} for one in types}


def _channels(topology: Topology, prefix: str, types: tuple[EventType, ...]) -> Document:
    channels: Document = {
        EVENTS: {
            "address": bindings.topic_name(topology, prefix),
            "title": "All events",
            "description": "The topic. Message group: the job. Deduplication: the event's id.",
            "servers": [{"$ref": "#/servers/sns"}],
            "messages": _references(types),
            "bindings": bindings.topic(topology, prefix),
        }
    }
    for name, queue in topology["queues"].items():
        if not queue.get("subscribed", True):
            continue  # it is not fed with events of ours
        channels[name] = {
            "address": bindings.queue_name(topology, prefix, name),
            "title": f"What the {name} hears",
            "description": "All events." if not queue.get("filter") else "What its filter passes.",
            "servers": [{"$ref": "#/servers/sqs"}],
            "messages": _references(one for one in types if name in consumers(one.type, topology)),
            "bindings": bindings.queue(topology, prefix, name),
        }
    return channels


def _operations(topology: Topology, types: tuple[EventType, ...]) -> Document:
    operations: Document = {}
    for publisher in sorted({one.publisher for one in types}):
        said = [one for one in types if one.publisher == publisher and not one.is_superseded]
        operations[f"{publisher}.publish"] = {
            "action": "send",
            "title": f"The {publisher} says",
            "channel": {"$ref": f"#/channels/{EVENTS}"},
            "messages": _in_channel(EVENTS, said),
            "bindings": {"$ref": "#/components/operationBindings/subscriptions"},
        }
    for name, queue in topology["queues"].items():
        if not queue.get("subscribed", True):
            continue
        operations[f"{name}.consume"] = {
            "action": "receive",
            "title": f"The {name} hears",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": _in_channel(
                name, (t for t in types if name in consumers(t.type, topology))
            ),
        }
    return operations


def _in_channel(channel: str, types: Iterable[EventType]) -> list[Document]:
    return [{"$ref": f"#/channels/{channel}/messages/{one.type}"} for one in types]
