"""Replay: events of the log once more, straight into one consumer's queue.

They never go through the topic, so nobody else hears them. Each has the id that it always had,
by which a consumer knows what it has done already, and the attributes `replayid` and, where it
is to do again what it has done, `replayforce`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chronicle_contracts import JobStatus
from chronicle_contracts.portal import JobRequested, RetryRequested
from chronicle_messaging import Bus, Queue
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.eventlog.models import LoggedEvent
from portal.jobs.models import Job
from portal.replay import queues
from portal.replay.errors import BadParameters, NotNow, NotThere
from portal.replay.models import Replay
from portal.replay.pace import Pace
from portal.replay.records import Call, Report, Run, running

_PAGE = 100
THE_LOG = "portal"
# What makes others begin something that cannot be had twice: a live stream goes by once.
BEGINNINGS = frozenset({JobRequested.TYPE, RetryRequested.TYPE})


@dataclass(frozen=True)
class Selection:
    """Which events: of these types (in full, or the name alone) and jobs, heard in this time."""

    types: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    everything: bool = False

    def check(self) -> None:
        """Refuse a selection of nothing in particular: that must be meant. `BadParameters`."""
        chosen = self.types or self.jobs or self.since or self.until
        if not chosen and not self.everything:
            raise BadParameters(
                "say which events: by type, job, since or until; or everything", field="types"
            )

    def events(self) -> QuerySet[LoggedEvent]:
        """Return the events in the order of the log."""
        events = LoggedEvent.objects.order_by("position")
        if self.types:
            wanted = Q()
            for one in self.types:
                wanted |= Q(type=one) if "." in one else Q(type__contains=f".{one}.v")
            events = events.filter(wanted)
        if self.jobs:
            events = events.filter(job_id__in=self.jobs)
        if self.since:
            events = events.filter(received_at__gte=self.since)
        if self.until:
            events = events.filter(received_at__lt=self.until)
        return events

    def as_parameters(self) -> dict[str, Any]:
        """Return it as a record keeps it."""
        words = {name: value for name, value in asdict(self).items() if value}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in words.items()
        }

    @classmethod
    def of_parameters(cls, parameters: Mapping[str, Any]) -> Selection:
        """Read it from a record."""
        times = {
            name: parse_datetime(parameters[name])
            for name in ("since", "until")
            if name in parameters
        }
        return cls(
            types=tuple(parameters.get("types", ())),
            jobs=tuple(parameters.get("jobs", ())),
            everything=bool(parameters.get("everything")),
            **times,
        )


def check(consumer: str, selection: Selection, *, rate: float | None = None) -> None:
    """Refuse what `replay` would refuse; nothing is asked of the queues."""
    selection.check()
    _consumer(queues.connect(), consumer)
    Pace(rate)


def replay(
    call: Call,
    consumer: str,
    selection: Selection,
    *,
    rate: float | None = None,
    force: bool = False,
) -> Report:
    """Send events of the log to one consumer; `rate` is events a second.

    What the consumer's subscription would not let through is not sent, nor are requests of jobs
    that are over. `force` asks it to do again what it has done already. Raises `NotThere` for
    an unknown consumer, `BadParameters` for one that hears no events, `Unavailable`.
    """
    selection.check()
    bus = queues.connect()
    queue = _consumer(bus, consumer)
    last = selection.events().order_by("-position").values_list("position", flat=True).first()
    parameters = {
        "to": consumer,
        "rate": rate,
        "force": force or None,
        "last": last or 0,
        **selection.as_parameters(),
    }
    pace = Pace(rate)
    with running(call, "replay", parameters) as run:
        _Sending(bus, queue, consumer, run, pace, force).send(selection, last=last or 0)
    return run.report


def resume(call: Call, replay_id: str | UUID) -> Report:
    """Go on with a replay that was interrupted or failed, under the same id.

    Raises `NotThere`, or `NotNow` where it was finished or somebody is at it.
    """
    try:
        record = Replay.objects.filter(pk=replay_id, verb="replay").first()
    except ValidationError:
        record = None
    if record is None:
        raise NotThere(f"there is no replay {replay_id}")
    match record.outcome:
        case Replay.Outcome.DONE:
            raise NotNow(f"replay {replay_id} is done")
        case Replay.Outcome.QUEUED:
            raise NotNow(f"replay {replay_id} waits for `replays work`, which goes on with it")
        case Replay.Outcome.RUNNING if record.is_alive(timezone.now()):
            raise NotNow(f"replay {replay_id} is under way")
    return go_on(call, record)


def go_on(call: Call, record: Replay) -> Report:
    """Go on with a replay of which nobody else has the record."""
    selection = Selection.of_parameters(record.parameters)
    consumer, rate = record.parameters["to"], record.parameters.get("rate")
    force = bool(record.parameters.get("force"))
    bus = queues.connect()
    queue = _consumer(bus, consumer)
    with running(call, "replay", record.parameters, resumed=record) as run:
        sending = _Sending(bus, queue, consumer, run, Pace(rate), force)
        sending.send(selection, last=record.parameters["last"], after=record.checkpoint)
    return run.report


def _consumer(bus: Bus, name: str) -> Queue:
    queue = queues.queue_of(bus, name)
    spec = bus.topology.queue(name)
    if not spec.subscribed:
        raise BadParameters(f"{name!r} hears no events of the log", field="to")
    return queue


@dataclass
class _Sending:
    bus: Bus
    queue: Queue
    consumer: str
    run: Run
    pace: Pace
    force: bool

    def send(self, selection: Selection, *, last: int, after: int = 0) -> None:
        events = selection.events().filter(position__lte=last)
        total = events.count()
        events = events.filter(position__gt=after)
        done = total - events.count()
        position = after
        with queues.reachable(self.bus):
            while page := list(events.filter(position__gt=position)[:_PAGE]):
                over = _requests_of_the_past(page) if self.consumer != THE_LOG else ()
                for event in page:
                    self._send(event, is_over=event.position in over)
                    done, position = done + 1, event.position
                    self.run.step(done, total, checkpoint=position)

    def _send(self, event: LoggedEvent, *, is_over: bool) -> None:
        attributes = {"type": event.type, "source": event.source, "subject": event.job_id}
        if not queues.hears(self.bus, self.consumer, attributes):
            self.run.count("not for it")
            return
        if is_over:
            self.run.count("of jobs that are over")
            return
        self.run.count("sent")
        if self.run.record is None:
            return
        self.pace.wait()
        replay_id = str(self.run.record.pk)
        self.queue.send(
            _marked(event.envelope, replay_id, force=self.force),
            group=event.job_id,
            # Not the event's id alone: the queue may have had that minutes ago.
            deduplication_id=f"{event.event_id}.{replay_id}",
            attributes=attributes,
        )


def _marked(envelope: str, replay_id: str, *, force: bool) -> str:
    """Return an envelope with the marks of this replay alone; everything else as it came."""
    marked = {**json.loads(envelope), "replayid": replay_id}
    marked.pop("replayforce", None)
    if force:
        marked["replayforce"] = True
    return json.dumps(marked, ensure_ascii=False, separators=(",", ":"))


def _requests_of_the_past(page: Sequence[LoggedEvent]) -> frozenset[int]:
    """Return where a job is requested that is over by now, or has its recording.

    A consumer that does not know it any more (its store was lost) would begin it anew, and
    record over what is there.
    """
    asking = {one.position: one.job_id for one in page if one.type in BEGINNINGS}
    over = {
        job.id
        for job in Job.objects.filter(pk__in=set(asking.values())).only("status", "recording")
        if JobStatus(job.status).is_final or job.recording is not None
    }
    return frozenset(position for position, job_id in asking.items() if job_id in over)
