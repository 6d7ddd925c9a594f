"""Asking a publisher to say again what the log lacks.

The portal calls nobody and reads nobody's database: it publishes `RepeatRequested`, and the
service that keeps the stream says the range again. What comes back goes through the inbox as
everything does, so that asking twice does no harm.
"""

from __future__ import annotations

from datetime import timedelta

from chronicle_contracts import decode, naming
from chronicle_contracts.portal import RepeatRequested
from django.db import transaction
from django.utils import timezone

from portal.eventlog.inbox import Inbox
from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent, StoredEvent, StreamCursor
from portal.eventlog.store import portal_store
from portal.jobs.aggregate import RequestedJob
from portal.jobs.readmodel import refold
from portal.replay.errors import BadParameters, NotThere
from portal.replay.gaps import RECORDERS
from portal.replay.records import Call, Report, running

# An answer takes a second. Who asks again sooner only makes the log longer.
PATIENCE = timedelta(seconds=30)
_RECENT = 20  # wishes about one job to look at


def ask(
    call: Call, stream: str, *, from_sequence: int | None = None, to_sequence: int | None = None
) -> Report:
    """Ask the publisher of a stream to say a range again.

    By default from the first one that the log lacks to the stream's end, which finds a tail
    that was lost without a seal. Raises `NotThere` for a stream of no known job, and
    `BadParameters` for one that nobody keeps who could be asked.
    """
    publisher, _, job_id = stream.partition("/")
    if f"{publisher}/" == RECORDERS or stream == naming.portal_stream(job_id):
        raise BadParameters(
            f"{stream!r} is repaired by `gaps --repair`, from "
            + ("the portal's own store" if publisher == "portal" else "its journal"),
            field="stream",
        )
    cursor = StreamCursor.objects.filter(stream=stream).first()
    if cursor is None and not LoggedEvent.objects.filter(job_id=job_id).exists():
        raise NotThere(f"the log knows no stream {stream!r} and no job {job_id!r}")
    first = from_sequence or (cursor.contiguous if cursor else 0) + 1
    if to_sequence is not None and to_sequence < first:
        raise BadParameters(f"{to_sequence} is before {first}", field="to_sequence")
    parameters = {"ask": stream, "from": first, "to": to_sequence}
    with running(call, "gaps", parameters) as run:
        if not call.dry_run:
            publish(cursor.job_id if cursor else job_id, stream, first, to_sequence, by=call.by)
        became = "would be asked for" if call.dry_run else "asked for"
        run.note(stream=stream, missing=f"{first}-{to_sequence or ''}", became=became)
        run.count("asked for")
    return run.report


def publish(job_id: str, stream: str, first: int, last: int | None, *, by: str) -> None:
    """Say what is wanted, in the job's own stream; the relay brings it to the services."""
    now = timezone.now()
    fact = RepeatRequested(
        stream=stream, from_sequence=first, to_sequence=last, requested_by=by or None
    )
    with transaction.atomic():
        lock_log()
        portal = portal_store()
        job = portal.get(RequestedJob, naming.portal_stream(job_id), job_id=job_id, at=now)
        job.ask_to_repeat(fact, at=now)
        Inbox(refold).record(portal.append(job))


def is_asked_for(job_id: str, stream: str) -> bool:
    """Return whether somebody asked for something of the stream a moment ago."""
    asked = StoredEvent.objects.filter(
        originator_id=naming.portal_stream(job_id), topic=RepeatRequested.TYPE
    ).order_by("-originator_version")
    events = (decode(bytes(state)) for state in asked.values_list("state", flat=True)[:_RECENT])
    return any(
        isinstance(event.data, RepeatRequested)
        and event.data.stream == stream
        and event.time > timezone.now() - PATIENCE
        for event in events
    )
