"""Other ways to the same read model, for the benchmark of ingest: an event a transaction.

Both fold with the portal's own fold and write the portal's own row, so that what is compared is
the way of getting there. Neither has an inbox: no conflicts, no cursors, no quarantine, no order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from chronicle_contracts import Event, decode
from chronicle_eventstore import Recorded
from django.db import transaction
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.projection import BaseProjectionRunner, Projection
from portal.eventlog.models import LoggedEvent
from portal.eventlog.recorder import OrmRecorder
from portal.eventlog.store import PortalEventStore, portal_store
from portal.jobs.models import Job
from portal.jobs.projection import fold
from portal.jobs.readmodel import row_of, state_of

from bench.histories import side_by_side
from bench.ingest_run import Row, bodies, rate

EVENTS = 3_000
_WAIT = 600.0


def peers() -> Iterator[Row]:
    """Measure both."""
    prepared = bodies(EVENTS, "naive")
    began = time.perf_counter()
    for body in prepared:
        _update_or_create(body)
    yield rate("peer: update_or_create for each event", EVENTS, began)
    mapper = portal_store().mapper
    OrmRecorder().insert_events(
        [
            mapper.to_stored_event(Recorded.of(event))
            for event in side_by_side(EVENTS, name="runner")
        ]
    )
    began = time.perf_counter()
    run_projection()
    yield rate("peer: eventsourcing's ProjectionRunner", EVENTS, began)


def _update_or_create(body: str) -> None:
    event = decode(body)
    with transaction.atomic():
        _, is_new = LoggedEvent.objects.get_or_create(
            event_id=event.id,
            defaults={
                "stream": event.stream,
                "sequence": event.sequence,
                "job_id": event.subject,
                "type": event.type,
                "source": event.source,
                "occurred_at": event.time,
                "received_at": event.time,
                "sealed": bool(event.sealed),
                "envelope": body,
            },
        )
        if is_new:
            fold_into_row(event)


def fold_into_row(event: Event) -> None:
    """Fold one event into the row of its job."""
    row = Job.objects.filter(id=event.subject).first()
    state = fold(state_of(row) if row else None, event)
    values = {name: getattr(row_of(state), name) for name in type(state).model_fields}
    Job.objects.update_or_create(id=values.pop("id"), defaults=values)


class _Rows(OrmRecorder):
    """The view: job rows and the position, in one transaction for each event."""

    def apply(self, event: Event, tracking: Tracking) -> None:
        with transaction.atomic():
            fold_into_row(event)
            self.insert_tracking(tracking)


class _Jobs(Projection[_Rows]):
    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.apply(domain_event.event, tracking)


def run_projection() -> None:
    """Let the runner project everything in the portal's own store."""
    view = _Rows()
    newest = view.max_notification_id()
    runner = BaseProjectionRunner(
        projection=_Jobs(view),
        application_class=PortalEventStore,
        tracking_recorder=view,
        topics=(),
        env={"ORIGINATOR_ID_TYPE": "text"},
    )
    with runner:
        runner.wait(newest, timeout=_WAIT)
