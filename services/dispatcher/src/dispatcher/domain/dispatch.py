"""The dispatcher's history of one job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import singledispatchmethod
from typing import ClassVar

from chronicle_contracts import Event, Fact
from chronicle_contracts.dispatcher import (
    JobAbandoned,
    JobAccepted,
    JobDeferred,
    JobRejected,
    LaunchFailed,
    RecorderLaunched,
    RecorderLost,
)
from chronicle_eventstore import Aggregate

LOST = "recorder_lost"  # the code of a run that ended without a word, or said nothing


class Standing(StrEnum):
    """Where the dispatcher stands with a job."""

    NEW = "new"  # nothing was said yet
    ACCEPTED = "accepted"  # to be launched
    DEFERRED = "deferred"  # waits for its time, its stream or a free place
    RUNNING = "running"  # its newest run was launched; what became of it is heard elsewhere
    FALLEN = "fallen"  # its newest run was lost, or could not be launched
    REJECTED = "rejected"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Trouble:
    """Why a launch or a run came to nothing, and when."""

    code: str
    detail: str
    at: datetime


class Dispatch(Aggregate):
    """One job as the dispatcher sees it; the first event of its stream is the claim."""

    SOURCE: ClassVar[str] = "/dispatcher"

    def begin(self) -> None:
        """Nothing was said yet."""
        self.standing = Standing.NEW
        self.deferral: JobDeferred | None = None  # the newest
        self.deferred_at: datetime | None = None
        self.waits_since: datetime | None = None  # of the deferrals in a row, the first
        self.run_id: str | None = None
        self.reference: str | None = None
        self.launched_at: datetime | None = None
        self.attempt = 0  # of the newest run that was launched
        self.tried: list[int] = []  # attempts launched, well or not, since it was accepted
        self.deliveries = 0  # of these, those that only deliver
        self.trouble: Trouble | None = None
        self._at = self.modified_on
        self._answered: set[str] = set()

    @property
    def is_over(self) -> bool:
        """True where nothing more is done unless somebody asks for it."""
        return self.standing in {Standing.REJECTED, Standing.ABANDONED}

    @property
    def waits_for_a_place(self) -> bool:
        """True where it could be launched, if there were room for it."""
        return (
            self.standing is Standing.DEFERRED
            and self.deferral is not None
            and self.deferral.reason == "capacity"
        )

    @property
    def waits_for_its_stream(self) -> bool:
        """True where its time has not come, or its stream not begun."""
        return self.standing is Standing.DEFERRED and not self.waits_for_a_place

    def has_answered(self, event: Event) -> bool:
        """Return whether something was recorded because of an event."""
        return str(event.id) in self._answered

    def evolve(self, event: Event) -> None:
        """Evolve by an event of the past; remember which event it answered."""
        self._at = event.time
        if event.causationid is not None:
            self._answered.add(event.causationid)
        self.apply(event.data)

    @singledispatchmethod
    def apply(self, fact: Fact) -> None:
        """Facts that this version does not know change nothing."""

    @apply.register
    def _(self, _fact: JobAccepted) -> None:
        self.standing = Standing.ACCEPTED
        self.tried = []
        self.deliveries = 0
        self.trouble = None

    @apply.register
    def _(self, _fact: JobRejected) -> None:
        self.standing = Standing.REJECTED

    @apply.register
    def _(self, fact: JobDeferred) -> None:
        if self.standing is not Standing.DEFERRED or self.waits_since is None:
            self.waits_since = self._at
        self.standing = Standing.DEFERRED
        self.deferral = fact
        self.deferred_at = self._at

    @apply.register
    def _(self, fact: RecorderLaunched) -> None:
        self.standing = Standing.RUNNING
        self.run_id = fact.run_id
        self.reference = fact.reference
        self.launched_at = self._at
        self.attempt = fact.attempt
        self.tried.append(fact.attempt)
        self.deliveries += fact.deliver_only

    @apply.register
    def _(self, fact: LaunchFailed) -> None:
        # The same attempt is launched again: nothing ran, and launching is idempotent by run.
        self.standing = Standing.FALLEN
        self.tried.append(fact.attempt)
        self.trouble = Trouble(fact.code, fact.detail, self._at)

    @apply.register
    def _(self, fact: RecorderLost) -> None:
        self.standing = Standing.FALLEN
        self.trouble = Trouble(LOST, fact.detail, self._at)

    @apply.register
    def _(self, _fact: JobAbandoned) -> None:
        self.standing = Standing.ABANDONED
