"""A recorder of the eventsourcing library over Django's ORM.

What an aggregate recorded, the log entry and the read model then change in one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import django.db
from django.db import connection, transaction
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    PersistenceError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
    TrackingRecorder,
)

from portal.eventlog import models
from portal.eventlog.locking import lock_log


class OrmRecorder(ProcessRecorder):
    """Stored events and relay positions in the portal's database.

    Raises the library's errors (`IntegrityError` where a version is taken already). Outside of
    a transaction a connection that failed is closed, so that the next call opens a new one.
    """

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events, and the tracking record given as `tracking`, in one transaction."""
        tracking: Tracking | None = kwargs.get("tracking")
        with _translated(), transaction.atomic():
            lock_log()
            rows = models.StoredEvent.objects.bulk_create(
                models.StoredEvent(
                    originator_id=str(event.originator_id),
                    originator_version=event.originator_version,
                    topic=event.topic,
                    state=event.state,
                )
                for event in stored_events
            )
            if tracking is not None:
                _insert_tracking(tracking)
        return [row.id for row in rows]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return events of one stream by version."""
        rows = models.StoredEvent.objects.filter(originator_id=str(originator_id))
        if gt is not None:
            rows = rows.filter(originator_version__gt=gt)
        if lte is not None:
            rows = rows.filter(originator_version__lte=lte)
        rows = rows.order_by("-originator_version" if desc else "originator_version")[:limit]
        with _translated():
            return [
                StoredEvent(
                    originator_id=row.originator_id,
                    originator_version=row.originator_version,
                    topic=row.topic,
                    state=bytes(row.state),
                )
                for row in rows
            ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events of all streams in the order in which they were stored."""
        rows = models.StoredEvent.objects.order_by("id")
        if start is not None:
            rows = rows.filter(**{"id__gte" if inclusive_of_start else "id__gt": start})
        if stop is not None:
            rows = rows.filter(id__lte=stop)
        if topics:
            rows = rows.filter(topic__in=topics)
        with _translated():
            return [
                Notification(
                    id=row.id,
                    originator_id=row.originator_id,
                    originator_version=row.originator_version,
                    topic=row.topic,
                    state=bytes(row.state),
                )
                for row in rows[:limit]
            ]

    def max_notification_id(self) -> int | None:
        """Return the id of the newest event, or None where there is none."""
        with _translated():
            return models.StoredEvent.objects.order_by("-id").values_list("id", flat=True).first()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an endless iterator over the events after an id; it polls."""
        return PollingSubscription(self, gt, topics)

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move a position forward; raises `IntegrityError` where it would not move."""
        with _translated(), transaction.atomic():
            _insert_tracking(tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return a position, or None where there is none."""
        rows = models.RelayPosition.objects.filter(name=application_name)
        with _translated():
            return rows.values_list("notification_id", flat=True).first()


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Events as they are stored, by asking again every `INTERVAL` seconds."""

    INTERVAL = 0.2
    PAGE = 500

    def __init__(
        self, recorder: ApplicationRecorder, gt: int | None, topics: Sequence[str]
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._page: Iterator[Notification] = iter(())
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the iteration, also while it waits."""
        super().stop()
        self._stopped.set()

    def __next__(self) -> Notification:
        """Return the next event; waits for it."""
        while not self._stopped.is_set():
            for notification in self._page:
                self._last_notification_id = notification.id
                return notification
            page = self._recorder.select_notifications(
                self._last_notification_id, self.PAGE, topics=self._topics, inclusive_of_start=False
            )
            self._page = iter(page)
            if not page:
                self._stopped.wait(self.INTERVAL)
        raise StopIteration


class OrmFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes the one recorder that there is, whatever is asked for."""

    def process_recorder(self) -> ProcessRecorder:
        """Return the recorder."""
        return OrmRecorder()

    def application_recorder(self) -> ApplicationRecorder:
        """Return the recorder."""
        return OrmRecorder()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Return the recorder; there are no snapshots."""
        assert purpose == "events"
        return OrmRecorder()

    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """Return the recorder."""
        assert tracking_recorder_class is None
        return OrmRecorder()


def _insert_tracking(tracking: Tracking) -> None:
    """Create the position or move it forward, each by one conditional statement."""
    ahead = models.RelayPosition.objects.filter(
        name=tracking.application_name, notification_id__lt=tracking.notification_id
    ).update(notification_id=tracking.notification_id)
    if not ahead:  # new, or not ahead of what is there: the primary key says which
        models.RelayPosition.objects.create(
            name=tracking.application_name, notification_id=tracking.notification_id
        )


_ERRORS: tuple[tuple[type[Exception], type[PersistenceError]], ...] = (
    (django.db.IntegrityError, IntegrityError),
    (django.db.OperationalError, OperationalError),
    (django.db.InterfaceError, InterfaceError),
    (django.db.Error, PersistenceError),
)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except django.db.Error as error:
        if not connection.in_atomic_block and not isinstance(error, django.db.IntegrityError):
            connection.close()
        theirs = next(theirs for ours, theirs in _ERRORS if isinstance(error, ours))
        raise theirs(str(error)) from error
