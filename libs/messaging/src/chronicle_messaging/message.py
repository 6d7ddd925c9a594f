"""A message as it was received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chronicle_contracts import UPCASTERS, Event, decode


@dataclass(frozen=True)
class Message:
    """One received message.

    `group` is empty on a standard queue; `receipt` is good for this receive only;
    `receive_count` counts from 1; `attributes` are the message attributes that are text.
    """

    body: str
    group: str
    receipt: str
    message_id: str
    receive_count: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)

    def event(self) -> Event:
        """Return the event in the body, in its newest version. Raises `MalformedEvent`."""
        return UPCASTERS.lift(decode(self.body))

    @classmethod
    def received(cls, raw: Mapping[str, Any]) -> Message:
        """Read an answer of SQS ReceiveMessage."""
        system = raw.get("Attributes", {})
        return cls(
            body=raw["Body"],
            group=system.get("MessageGroupId", ""),
            receipt=raw["ReceiptHandle"],
            message_id=raw["MessageId"],
            receive_count=int(system.get("ApproximateReceiveCount", 1)),
            attributes={
                name: value["StringValue"]
                for name, value in raw.get("MessageAttributes", {}).items()
                if "StringValue" in value
            },
        )

    @classmethod
    def of_lambda(cls, record: Mapping[str, Any]) -> Message:
        """Read a record of the event that AWS Lambda gets from SQS."""
        system = record.get("attributes", {})
        return cls(
            body=record["body"],
            group=system.get("MessageGroupId", ""),
            receipt=record.get("receiptHandle", ""),
            message_id=record["messageId"],
            receive_count=int(system.get("ApproximateReceiveCount", 1)),
            attributes={
                name: value["stringValue"]
                for name, value in record.get("messageAttributes", {}).items()
                if "stringValue" in value
            },
        )


def read_event(message: Message) -> Event:
    """Return the event of a message, as `Message.event` does."""
    return message.event()
