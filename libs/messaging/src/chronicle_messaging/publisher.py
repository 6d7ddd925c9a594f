"""Publishing events to the topic, in order within each job."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog
from chronicle_contracts import Event, decode, encode

from chronicle_messaging.errors import ENDPOINT_TROUBLE, is_missing
from chronicle_messaging.provisioning import Topic

if TYPE_CHECKING:
    from chronicle_messaging.bus import Bus

log = structlog.get_logger(__name__)

MOST_ENTRIES = 10  # SNS PublishBatch
MOST_BYTES = 262_144  # SNS: bodies and attributes of one batch together

# Characters that JSON may hold as they are and SQS may not: they go as escapes, which mean the
# same. They can only stand inside a JSON string.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_UNSENDABLE = re.compile("[\ufffe\uffff]")


class SnsPublisher:
    """Publishes with PublishBatch; the group is the job.

    The deduplication id is the event's id and the incarnation of the topic that is believed to
    be there. A topic that somebody is just making anew takes events before its queues are
    subscribed; said again once the incarnation is known, they must not count as duplicates.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def publish(self, events: Sequence[bytes | Event], *, again: str = "") -> int:
        """Publish events; return how many of the first ones SNS confirmed without exception.

        A call holds at most one event of each job, because a batch can fail in part: nothing of
        a job is sent before SNS has confirmed what comes before it. Past a failed event the
        other jobs' events still go out, so saying the rest again repeats some of them; SNS
        drops those within five minutes and readers do later. What is said once more on purpose
        names the occasion with `again`, so that it is not dropped.

        Raises `MissingResource`, or as botocore does, when the topic cannot be found; trouble
        after that is logged and shortens the result.
        """
        if not events:
            return 0
        topic = self._bus.topic()
        line = _Line([_entry(index, event, topic, again) for index, event in enumerate(events)])
        while batch := line.batch():
            try:
                answer = self._bus.clients.sns.publish_batch(
                    TopicArn=topic.arn, PublishBatchRequestEntries=batch
                )
            except ENDPOINT_TROUBLE as error:
                log.warning("publish_failed", error=str(error), events=len(batch))
                if is_missing(error):
                    self._bus.forget()
                # Whatever it was, the topic may be another one afterwards.
                self._bus.doubt()
                break
            for failure in answer.get("Failed", []):
                log.error(
                    "event_not_published",
                    event_id=_event_of(batch, failure["Id"]),
                    code=failure.get("Code"),
                    detail=failure.get("Message"),
                    sender_fault=failure.get("SenderFault"),
                )
            line.settle({int(one["Id"]) for one in answer.get("Successful", [])})
        return line.confirmed_prefix()


def _event_of(batch: Sequence[dict[str, Any]], entry: str) -> str:
    said = next((one["MessageDeduplicationId"] for one in batch if one["Id"] == entry), "")
    return said.partition(":")[0]


class _Line:
    """Who is next: events of a job one after the other, jobs side by side."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self._entries = entries
        self._waiting: dict[str, deque[int]] = defaultdict(deque)
        for index, entry in enumerate(entries):
            self._waiting[entry["MessageGroupId"]].append(index)
        # The heads of all groups, the oldest event first: that is what lengthens the prefix.
        self._heads = [waiting.popleft() for waiting in self._waiting.values()]
        heapq.heapify(self._heads)
        self._sent: list[int] = []
        self._confirmed: set[int] = set()

    def batch(self) -> list[dict[str, Any]]:
        """Return the next entries to send, no two of one group; none where nothing is left."""
        self._sent = []
        room = MOST_BYTES
        while self._heads and len(self._sent) < MOST_ENTRIES:
            size = _size(self._entries[self._heads[0]])
            if self._sent and size > room:
                break
            room -= size
            self._sent.append(heapq.heappop(self._heads))
        return [self._entries[index] for index in self._sent]

    def settle(self, confirmed: set[int]) -> None:
        """Let the next of each confirmed group come forward; the other groups end here."""
        for index in self._sent:
            if index not in confirmed:
                continue
            self._confirmed.add(index)
            waiting = self._waiting[self._entries[index]["MessageGroupId"]]
            if waiting:
                heapq.heappush(self._heads, waiting.popleft())

    def confirmed_prefix(self) -> int:
        """Return how many entries from the first on are confirmed."""
        missing = (i for i in range(len(self._entries)) if i not in self._confirmed)
        return next(missing, len(self._entries))


def _entry(index: int, item: bytes | Event, topic: Topic, again: str) -> dict[str, Any]:
    event, raw = (item, encode(item)) if isinstance(item, Event) else (decode(item), item)
    attributes = {"type": event.type, "source": event.source, "subject": event.subject}
    return {
        "Id": str(index),
        "Message": _UNSENDABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", raw.decode()),
        "MessageGroupId": event.subject,
        "MessageDeduplicationId": f"{event.id}:{topic.incarnation}" + (again and f":{again}"),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


def _size(entry: dict[str, Any]) -> int:
    attributes = sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"].encode())
        for name, value in entry["MessageAttributes"].items()
    )
    return len(entry["Message"].encode()) + attributes
