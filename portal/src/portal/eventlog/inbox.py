"""The inbox: messages become log entries and read models in one transaction.

1. Parse; what is no event of ours, or does not fit the log, goes to quarantine.
2. Take the log's lock.
3. Leave out what is there already (same id at the same place); the same place with another
   id, the same id at another place, or another job's event in a stream is a conflict and goes
   to quarantine.
4. Insert, advance the cursors, project the jobs concerned.
5. Commit; only then may the messages be deleted from the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chronicle_contracts import Event, MalformedEvent, decode, encode, naming
from django.db import transaction
from django.utils import timezone

from portal.eventlog import cursors, quarantine
from portal.eventlog.appending import append
from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent, QuarantinedMessage, StreamCursor
from portal.eventlog.progress import PROGRESS_TYPES
from portal.eventlog.quarantine import Refused

Place = tuple[str, int]

_LONGEST = 255
_BIGGEST = 2**63 - 1


@dataclass(frozen=True)
class Arrival:
    """A message as it came."""

    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What became of a batch; `stored` are the new log entries in the order of the batch."""

    stored: Sequence[LoggedEvent]
    duplicates: int
    quarantined: int

    @property
    def jobs(self) -> set[str]:
        """The jobs that heard something new."""
        return {one.job_id for one in self.stored}


class Inbox:
    """The way into the log; `project` brings the read models of jobs up to date."""

    def __init__(
        self,
        project: Callable[[Collection[str]], object],
        *,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._project = project
        self._now = now

    def record(self, events: Sequence[Event]) -> Receipt:
        """Take in events of our own; the transaction may be the caller's."""
        return self.receive([Arrival(encode(event).decode()) for event in events])

    def receive(self, arrivals: Sequence[Arrival]) -> Receipt:
        """Take in messages, many at once; a message that was taken in before changes nothing."""
        now = self._now()
        rows: list[tuple[Arrival, LoggedEvent]] = []
        refused: list[Refused] = []
        for arrival in arrivals:
            parsed = _parse(arrival, now)
            if isinstance(parsed, Refused):
                refused.append(parsed)
            else:
                rows.append((arrival, parsed))
        with transaction.atomic():
            lock_log()
            known = cursors.load({row.stream for _, row in rows})
            fresh, conflicts = _sift(rows, known)
            stored = append(fresh)
            cursors.advance(known, stored)
            quarantine.put_aside([*refused, *conflicts], now)
            receipt = Receipt(
                stored=stored,
                duplicates=len(rows) - len(fresh) - len(conflicts),
                quarantined=len(refused) + len(conflicts),
            )
            if stored:
                self._project(receipt.jobs)
        return receipt


def _parse(arrival: Arrival, now: datetime) -> LoggedEvent | Refused:
    try:
        event = decode(arrival.body)
    except MalformedEvent as error:
        return Refused(
            QuarantinedMessage.Reason.MALFORMED, str(error), arrival.body, arrival.attributes
        )
    if (misfit := _misfit(event)) is not None:
        return Refused(QuarantinedMessage.Reason.UNFIT, misfit, arrival.body, arrival.attributes)
    return LoggedEvent(
        event_id=event.id,
        stream=event.stream,
        sequence=event.sequence,
        job_id=event.subject,
        type=event.type,
        source=event.source,
        occurred_at=event.time,
        received_at=now,
        sealed=bool(event.sealed),
        progress=event.type in PROGRESS_TYPES,
        envelope=arrival.body,
    )


def _misfit(event: Event) -> str | None:
    if not naming.is_job_id(event.subject):
        return f"subject {event.subject[:80]!r} is no job id; see chronicle_contracts.naming"
    for name in ("stream", "type", "source"):
        text: str = getattr(event, name)
        if len(text) > _LONGEST or "\x00" in text:
            return f"{name} {text[:80]!r}... has a NUL or more than {_LONGEST} characters"
    if event.sequence > _BIGGEST:
        return f"sequence {event.sequence} is above {_BIGGEST}"
    return None


def _sift(
    rows: Sequence[tuple[Arrival, LoggedEvent]], heard: Mapping[str, StreamCursor]
) -> tuple[list[LoggedEvent], list[Refused]]:
    """Tell new events and conflicts; what is neither is a duplicate."""
    place_of: dict[UUID, Place] = {
        event_id: (stream, sequence)
        for event_id, stream, sequence in LoggedEvent.objects.filter(
            event_id__in=[row.event_id for _, row in rows]
        ).values_list("event_id", "stream", "sequence")
    }
    id_at = _ids_at(
        [
            row
            for _, row in rows
            # Beyond the highest that was heard of its stream nothing can be in its place.
            if row.event_id not in place_of
            and row.stream in heard
            and row.sequence <= heard[row.stream].highest
        ]
    )
    job_of = {stream: cursor.job_id for stream, cursor in heard.items()}
    fresh: list[LoggedEvent] = []
    conflicts: list[Refused] = []
    for arrival, row in rows:
        place = (row.stream, row.sequence)
        if place_of.get(row.event_id) == place:
            continue
        problem = _conflict(row, place_of.get(row.event_id), id_at.get(place), job_of)
        if problem is not None:
            conflicts.append(
                Refused(
                    QuarantinedMessage.Reason.CONFLICT, problem, arrival.body, arrival.attributes
                )
            )
            continue
        place_of[row.event_id] = place
        id_at[place] = row.event_id
        fresh.append(row)
    return fresh, conflicts


def _ids_at(rows: Sequence[LoggedEvent]) -> dict[Place, UUID]:
    if not rows:
        return {}
    # The product of streams and sequences is read; it is small, because this is rare.
    found = LoggedEvent.objects.filter(
        stream__in={row.stream for row in rows}, sequence__in={row.sequence for row in rows}
    ).values_list("stream", "sequence", "event_id")
    return {(stream, sequence): event_id for stream, sequence, event_id in found}


def _conflict(
    row: LoggedEvent, elsewhere: Place | None, other: UUID | None, job_of: dict[str, str]
) -> str | None:
    """Say what speaks against an event that is new; None where nothing does."""
    here = f"{row.stream}#{row.sequence}"
    if elsewhere is not None:
        return f"event {row.event_id} of {here} is in the log at {elsewhere[0]}#{elsewhere[1]}"
    if other is not None:
        return f"{here} is in the log as event {other}, not {row.event_id}"
    owner = job_of.setdefault(row.stream, row.job_id)
    if owner != row.job_id:
        return f"stream {row.stream} belongs to job {owner}, not {row.job_id}"
    return None
