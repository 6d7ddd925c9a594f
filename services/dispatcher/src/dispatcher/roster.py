"""The jobs that are not over: a view in memory, folded from the service's own notification log.

Every dispatcher that shares the event store folds the same log, so each sees what the others
decided, whoever heard the message that led to it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chronicle_contracts import Event, decode, naming
from chronicle_contracts.dispatcher import JobDeferred
from chronicle_eventstore import EventStore, Recorded

from dispatcher.domain.dispatch import Dispatch, Standing
from dispatcher.domain.look import Look, due_at

PAGE = 500

# Whoever accepted a job launches it in the same breath; after this it must have fallen over.
LAUNCH_GRACE = timedelta(seconds=5)


class Roster:
    """Which jobs run, which wait, and in what order for a place."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._position: int | None = None
        self._open: dict[str, Dispatch] = {}
        self._line: dict[str, None] = {}  # jobs that wait for a place, in order
        self._lock = threading.Lock()

    def __contains__(self, job_id: str) -> bool:
        with self._lock:
            return job_id in self._open

    def catch_up(self) -> None:
        """Follow the log to its present end."""
        with self._lock:
            while True:
                page = self._store.recorder.select_notifications(
                    self._position, PAGE, inclusive_of_start=False
                )
                for notification in page:
                    self._follow(decode(notification.state))
                    self._position = notification.id
                if len(page) < PAGE:
                    return

    def drop(self, job_id: str) -> None:
        """Forget a job of which nothing more is expected; a new event brings it back."""
        with self._lock:
            self._open.pop(job_id, None)
            self._line.pop(job_id, None)

    def attended(self, now: datetime) -> Sequence[str]:
        """Return the jobs that need a look every time, the newest first."""
        with self._lock:
            return [
                job
                for job, one in reversed(self._open.items())
                if not _waits(one) and not _is_being_launched(one, now)
            ]

    def due(self, now: datetime, looks: Mapping[str, Look]) -> Sequence[str]:
        """Return the jobs whose URL is to be looked at (again)."""
        with self._lock:
            return [
                job
                for job, one in self._open.items()
                if one.waits_for_its_stream and due_at(one, looks.get(job)) <= now
            ]

    def deferral_of(self, job_id: str) -> JobDeferred | None:
        """Return what was last said of a job that waits; None where it does not."""
        with self._lock:
            one = self._open.get(job_id)
            return one.deferral if one is not None and _waits(one) else None

    def jobs(self) -> frozenset[str]:
        """Return the jobs that are not over."""
        with self._lock:
            return frozenset(self._open)

    def line(self) -> Sequence[str]:
        """Return the jobs that wait for a place, in order of arrival."""
        with self._lock:
            return list(self._line)

    def _follow(self, event: Event) -> None:
        if event.stream != naming.dispatcher_stream(event.subject):
            return
        job = event.subject
        dispatch = self._open.get(job)
        if dispatch is None:
            dispatch = self._before(event)
        if event.sequence == dispatch.version + 1:
            Recorded.of(event).mutate(dispatch)
        if dispatch.is_over:
            self._open.pop(job, None)
        else:
            self._open[job] = dispatch
        if dispatch.waits_for_a_place:
            if isinstance(event.data, JobDeferred):
                self._line.setdefault(job)
        else:
            self._line.pop(job, None)

    def _before(self, event: Event) -> Dispatch:
        """Return the job's history up to an event, or beyond it: then it is not applied twice."""
        found = None
        if event.sequence > 1:
            # It was over when it was dropped from here, and goes on by somebody's wish.
            found = self._store.find(Dispatch, event.stream)
        return found or Dispatch.at_stream(event.stream, event.subject, event.time)


def _is_being_launched(dispatch: Dispatch, now: datetime) -> bool:
    return dispatch.standing is Standing.ACCEPTED and now - dispatch.modified_on < LAUNCH_GRACE


def _waits(dispatch: Dispatch) -> bool:
    return dispatch.standing is Standing.DEFERRED
