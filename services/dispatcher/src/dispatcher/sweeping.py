"""Sweeping up what jobs were given to show at their sites, once nobody needs it any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from chronicle_contracts import naming
from chronicle_eventstore import EventStore

from dispatcher.domain.dispatch import Dispatch
from dispatcher.ports import Ports
from dispatcher.roster import Roster

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)
# A request may be on its way for as long as its queue keeps it (SQS: at most 14 days).
UNHEARD = timedelta(days=14)


class SecretSweep:
    """Deletes the credentials of jobs that are over for `keep`; a retry may come until then.

    Of a recording that was delivered they are gone before; this is for all other ends, for
    what was put away and never asked for, and for deletions that failed.
    """

    def __init__(self, store: EventStore, ports: Ports, roster: Roster, *, keep: timedelta) -> None:
        self._store = store
        self._secrets = ports.secrets
        self._roster = roster
        self._keep = keep
        self._next: datetime | None = None

    def run_if_due(self, now: datetime) -> None:
        """Sweep, where the last time is long enough ago."""
        if self._next is not None and now < self._next:
            return
        self._next = now + EVERY
        live = self._roster.jobs()
        for name, kept_at in self._secrets.kept():
            job_id = naming.job_of_credentials(name)
            if job_id not in live and now >= self._last_day(job_id, kept_at):
                self._secrets.delete(name)

    def _last_day(self, job_id: str, kept_at: datetime) -> datetime:
        if not naming.is_job_id(job_id):
            return kept_at + UNHEARD
        dispatch = self._store.find(Dispatch, naming.dispatcher_stream(job_id))
        if dispatch is None:
            return kept_at + UNHEARD
        return max(kept_at, dispatch.modified_on) + self._keep
