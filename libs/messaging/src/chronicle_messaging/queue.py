"""One queue of the topology and its dead-letter queue."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from botocore.exceptions import ClientError

from chronicle_messaging.errors import is_missing, is_stale_receipt
from chronicle_messaging.message import Message

if TYPE_CHECKING:
    from chronicle_messaging.bus import Bus

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOST_AT_ONCE = 10  # SQS: entries of a batch, messages of a receive
LONGEST_VISIBILITY = 43_200  # SQS: 12 hours
QUARANTINE_REASON = "quarantine-reason"
_REASON_CHARACTERS = 1000


class Queue:
    """A queue by its short name; `dead_letters=True` is where its failures end."""

    def __init__(self, bus: Bus, name: str, *, dead_letters: bool = False) -> None:
        spec = bus.topology.queue(name)
        self._bus = bus
        self._short_name = name
        self.fifo = spec.fifo
        self.visibility_timeout = spec.visibility_timeout
        self.max_receives = bus.topology.dead_letters.max_receives
        namer = bus.topology.dead_letter_name if dead_letters else bus.topology.queue_name
        self.name = namer(bus.prefix, name)

    @property
    def arn(self) -> str:
        """The queue's ARN, for S3 notifications and policies."""
        return self._bus.clients.arn("sqs", self.name)

    @property
    def dead_letters(self) -> Queue:
        """The queue's dead-letter queue."""
        return Queue(self._bus, self._short_name, dead_letters=True)

    def receive(
        self, most: int = MOST_AT_ONCE, *, wait: int = 0, visibility: int | None = None
    ) -> list[Message]:
        """Return up to `most` (at most 10) messages, waiting up to `wait` seconds for the first.

        They stay hidden from others for `visibility` seconds (the queue's own, if None).
        """
        options = {} if visibility is None else {"VisibilityTimeout": visibility}
        answer = self._call(
            lambda url: self._bus.clients.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(most, MOST_AT_ONCE),
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
                MessageAttributeNames=["All"],
                **options,
            )
        )
        return [Message.received(raw) for raw in answer.get("Messages", [])]

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Delete messages that are done with; return those that could not be deleted.

        A receipt that is of no use any more is only logged: the message is gone already, or
        comes again.
        """
        return self._each(
            messages,
            lambda entries, url: self._bus.clients.sqs.delete_message_batch(
                QueueUrl=url, Entries=entries
            ),
            dict,
            "message_delete_failed",
        )

    def change_visibility(self, messages: Sequence[Message], seconds: float) -> list[Message]:
        """Hide messages for so long from now (0 = give them back); return where it failed."""
        whole = min(LONGEST_VISIBILITY, max(0, math.ceil(seconds)))
        return self._each(
            messages,
            lambda entries, url: self._bus.clients.sqs.change_message_visibility_batch(
                QueueUrl=url, Entries=entries
            ),
            lambda: {"VisibilityTimeout": whole},
            "message_visibility_failed",
        )

    def send(
        self,
        body: str,
        *,
        group: str,
        deduplication_id: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Put a message straight into this queue (replay, redrive); return its message id.

        Within five minutes a second one with the same `deduplication_id` (by default a digest
        of the body) is taken for the same message. A standard queue knows neither that nor
        groups.
        """
        digest = hashlib.sha256(body.encode()).hexdigest()
        order = (
            {"MessageGroupId": group, "MessageDeduplicationId": deduplication_id or digest}
            if self.fifo
            else {}
        )
        answer = self._call(
            lambda url: self._bus.clients.sqs.send_message(
                QueueUrl=url,
                MessageBody=body,
                MessageAttributes=_as_attributes(attributes or {}),
                **order,
            )
        )
        return str(answer["MessageId"])

    def quarantine(self, message: Message, reason: str) -> None:
        """Move a message that can never be handled into the dead-letter queue, with the reason.

        It is sent before it is deleted: a crash between leaves it twice, never nowhere.
        """
        # Spaces only: an attribute's value must not hold control characters.
        words = " ".join(reason.split())[:_REASON_CHARACTERS] or "no reason given"
        self.dead_letters.send(
            message.body,
            group=message.group or message.message_id,
            deduplication_id=message.message_id,
            attributes={**message.attributes, QUARANTINE_REASON: words},
        )
        self.delete([message])

    def depth(self) -> dict[str, int]:
        """Return how many messages wait (`visible`), are in hand (`in_flight`) or `delayed`."""
        names = {
            "visible": "ApproximateNumberOfMessages",
            "in_flight": "ApproximateNumberOfMessagesNotVisible",
            "delayed": "ApproximateNumberOfMessagesDelayed",
        }
        answer = self._call(
            lambda url: self._bus.clients.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=list(names.values())
            )
        )
        return {ours: int(answer["Attributes"].get(theirs, 0)) for ours, theirs in names.items()}

    def _call(self, act: Callable[[str], T]) -> T:
        """Do something with the queue; where it has vanished, once more after making it."""
        try:
            return act(self._bus.url(self.name))
        except ClientError as error:
            if not is_missing(error):
                raise
            log.warning("queue_lost", queue=self.name)
            self._bus.forget()
        return act(self._bus.url(self.name))

    def _each(
        self,
        messages: Sequence[Message],
        act: Callable[[list[dict[str, Any]], str], Any],
        extra: Callable[[], dict[str, Any]],
        complaint: str,
    ) -> list[Message]:
        failed: list[Message] = []
        for chunk in _chunks(messages):
            entries = [
                {"Id": str(index), "ReceiptHandle": message.receipt, **extra()}
                for index, message in enumerate(chunk)
            ]
            answer = self._call(partial(act, entries))
            for one in answer.get("Failed", []):
                message = chunk[int(one["Id"])]
                stale = is_stale_receipt(ClientError({"Error": {"Code": one["Code"]}}, complaint))
                say = log.info if stale else log.error
                say(
                    complaint,
                    queue=self.name,
                    message_id=message.message_id,
                    code=one["Code"],
                    detail=one.get("Message"),
                )
                if not stale:
                    failed.append(message)
        return failed


def _chunks(messages: Sequence[Message]) -> Iterator[list[Message]]:
    rest = iter(messages)
    while chunk := list(islice(rest, MOST_AT_ONCE)):
        yield chunk


def _as_attributes(attributes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        name: {"DataType": "String", "StringValue": value}
        for name, value in attributes.items()
        if value
    }
