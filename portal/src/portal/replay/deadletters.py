"""Dead letters: what a consumer could not handle, to look at, to redrive, to drop.

SQS has no way to look without taking: messages are received, hidden for a moment and given back.
Of a FIFO group only the first ten can be seen while they wait in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

from chronicle_contracts import MalformedEvent
from chronicle_messaging import QUARANTINE_REASON, Message, Queue

from portal.replay import queues
from portal.replay.errors import BadParameters, NotThere
from portal.replay.pace import Pace
from portal.replay.records import Call, Item, Report, Run, running

# Long enough for a person's command; they come back by themselves if it is killed.
_HIDDEN = 120  # seconds
_WAIT = 1
_MOST_SHOWN = 500


def depths(call: Call) -> Report:
    """Count the dead letters of every queue; each is left."""
    report = Report("dlq", call.dry_run)
    bus = queues.connect()
    with queues.reachable(bus):
        for name in queues.names(bus):
            depth = bus.queue(name).dead_letters.depth()
            report.items.append({"queue": name, **depth})
            report.counts[name] = sum(depth.values())
    report.left = report.counts.total()
    return report


def list_dead_letters(call: Call, queue: str, *, most: int = _MOST_SHOWN) -> Report:
    """List dead letters of a queue; each is left. Raises `NotThere`, `Unavailable`."""
    report = Report("dlq", call.dry_run)
    bus = queues.connect()
    letters = queues.queue_of(bus, queue).dead_letters
    with queues.reachable(bus), _Held(letters) as held:
        for message in held.receive(most):
            report.items.append(describe(message))
            report.counts[queue] += 1
    report.left = report.counts[queue]
    return report


def redrive(
    call: Call, queue: str, *, messages: Collection[str] = (), rate: float | None = None
) -> Report:
    """Send dead letters to their queue again, all or those with these ids, `rate` a second.

    Each is sent before it is deleted: a crash between leaves it twice, never nowhere. What
    comes back meanwhile stays. Raises `NotThere`, `BadParameters`, `Unavailable`.
    """
    bus = queues.connect()
    target = queues.queue_of(bus, queue)
    pace = Pace(rate)
    parameters = {"redrive": queue, "messages": sorted(messages) or None, "rate": rate}
    letters = target.dead_letters
    with running(call, "dlq", parameters) as run, queues.reachable(bus), _Held(letters) as held:
        _redrive(run, target, held, set(messages), pace)
    return run.report


def drop_dead_letter(call: Call, queue: str, message: str, *, reason: str) -> Report:
    """Delete a dead letter; the record keeps its body. Raises as `redrive` does."""
    if not reason.strip():
        raise BadParameters("say why the message is dropped", field="reason")
    bus = queues.connect()
    letters = queues.queue_of(bus, queue).dead_letters
    parameters = {"drop": queue, "message": message, "reason": reason}
    with running(call, "dlq", parameters) as run, queues.reachable(bus), _Held(letters) as held:
        found = next((one for one in held.receive() if one.message_id == message), None)
        if found is None:
            raise NotThere(f"message {message} is not among the dead letters of {queue!r}")
        run.note(**describe(found), body=found.body)
        run.count("dropped")
        if not call.dry_run:
            held.delete(found)
    return run.report


def describe(message: Message) -> Item:
    """Return a message as it is shown."""
    try:
        event = message.event()
    except MalformedEvent:
        about = {"job": message.group or None, "type": None, "event": None}
    else:
        about = {"job": event.subject, "type": event.type, "event": str(event.id)}
    return {
        "message": message.message_id,
        **about,
        "reason": message.attributes.get(QUARANTINE_REASON, "received too often"),
    }


class _Held:
    """Dead letters in hand; at the end of the block those that are left are given back."""

    def __init__(self, letters: Queue) -> None:
        self._letters = letters
        self._held: dict[str, Message] = {}

    def __enter__(self) -> _Held:
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._letters.change_visibility(list(self._held.values()), 0)

    def receive(self, most: int | None = None) -> Iterator[Message]:
        """Yield messages until no more come; each is yielded once."""
        while most is None or len(self._held) < most:
            # Waiting asks all of SQS's servers; it is spared where there seems to be nothing.
            wait = _WAIT if self._letters.depth()["visible"] else 0
            received = self._letters.receive(wait=wait, visibility=_HIDDEN)
            fresh = [one for one in received if one.message_id not in self._held]
            self._held.update((one.message_id, one) for one in received)
            if not fresh:
                return
            yield from fresh

    def delete(self, message: Message) -> None:
        """Delete a message for good."""
        self._letters.delete([message])
        del self._held[message.message_id]


def _redrive(run: Run, target: Queue, held: _Held, wanted: set[str], pace: Pace) -> None:
    missing = set(wanted)
    sent: set[str] = set()
    total = sum(target.dead_letters.depth().values())
    done = 0
    for message in held.receive():
        if wanted and message.message_id not in wanted:
            continue
        missing.discard(message.message_id)
        digest = hashlib.sha256(message.body.encode()).hexdigest()
        if digest in sent:
            # Nobody has mended what put it here, or it was here twice.
            run.note(**describe(message), became="left: sent already, and here again")
            run.leave()
            continue
        if run.record is not None:
            pace.wait()
            target.send(
                message.body,
                group=message.group or message.message_id,
                deduplication_id=f"{message.message_id}.{run.record.pk}",
                attributes={
                    name: value
                    for name, value in message.attributes.items()
                    if name != QUARANTINE_REASON
                },
            )
            held.delete(message)
        sent.add(digest)
        run.note(**describe(message), became="would be sent" if run.record is None else "sent")
        run.count("redriven")
        done += 1
        run.step(done, max(total, done))
    for message_id in sorted(missing):
        run.note(message=message_id, became="not found")
        run.count("not found")
        run.leave()
