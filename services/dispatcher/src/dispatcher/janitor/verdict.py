"""Whether a job is over, judged from the dispatcher's own history alone.

What cannot be proven to be over is alive: a launch under way, a retry that was heard and not
answered yet, a run that failed and may be tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chronicle_contracts import naming
from chronicle_eventstore import EventStore

from dispatcher.domain.dispatch import Dispatch, Standing
from dispatcher.domain.order import Order
from dispatcher.ports import Heard, Orders

How = Literal["alive", "unknown", "delivered", "discarded", "given up"]

# What a run's last word says of its job; after any other it may be tried again.
ENDS: Mapping[str, How] = {"Uploaded": "delivered", "RecordingEnded": "discarded"}


@dataclass(frozen=True)
class Verdict:
    """What became of a job, and since when; `key` is its recording's, where it was asked for."""

    how: How
    since: datetime | None = None
    key: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nobody will do anything for this job, unless it is asked for anew."""
        return self.how not in {"alive", "unknown"}


class Judge:
    """Judges jobs by what is stored now; ask again before acting on an answer."""

    def __init__(self, store: EventStore, orders: Orders, heard: Heard) -> None:
        self._store = store
        self._orders = orders
        self._heard = heard

    def of(self, job_id: str) -> Verdict:
        """Return what became of a job."""
        if not naming.is_job_id(job_id):
            return Verdict("unknown")
        dispatch = self._store.find(Dispatch, naming.dispatcher_stream(job_id))
        order = Order.of(self._orders.of(job_id))
        key = order.request.key if order.request is not None else None
        if dispatch is None:
            return Verdict("unknown" if order.requested is None else "alive", key=key)
        how, since = self._end_of(dispatch, order)
        return Verdict(how, since, key)

    def _end_of(self, dispatch: Dispatch, order: Order) -> tuple[How, datetime | None]:
        if order.retry is not None and not dispatch.has_answered(order.retry):
            return "alive", None
        if dispatch.is_over:
            return "given up", dispatch.modified_on
        if dispatch.standing is Standing.RUNNING:
            for run in self._heard.of(dispatch.job_id):
                how = ENDS.get(run.final_type or "")
                if run.run_id == dispatch.run_id and run.sealed and how is not None:
                    return how, run.heard_at
        return "alive", None
