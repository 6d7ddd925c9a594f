"""What was asked of a job: a fold of the portal's events, in the order of their stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from chronicle_contracts import UPCASTERS, Event
from chronicle_contracts.portal import JobExtended, JobRequested, RetryRequested, StopRequested


@dataclass(frozen=True)
class Order:
    """The job as it is wanted now.

    `stop` and `retry` are the events that ask for it; a retry takes an earlier stop back.
    `max_duration` is in seconds of media, None without limit.
    """

    requested: Event | None = None
    stop: Event | None = None
    retry: Event | None = None
    max_duration: float | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Order:
        """Fold what was heard, however it arrived: by sequence, each event once."""
        order = cls()
        for event in sorted(events, key=lambda one: one.sequence):
            order = order._and(UPCASTERS.lift(event))
        return order

    def _and(self, event: Event) -> Order:
        fact = event.data
        if isinstance(fact, JobRequested):
            return replace(self, requested=event, max_duration=fact.max_duration)
        if isinstance(fact, StopRequested):
            return replace(self, stop=event)
        if isinstance(fact, RetryRequested):
            return replace(self, retry=event, stop=None)
        if isinstance(fact, JobExtended):
            return replace(self, max_duration=fact.max_duration)
        return self

    @property
    def request(self) -> JobRequested | None:
        """The request itself, where it has been heard."""
        fact = self.requested.data if self.requested else None
        return fact if isinstance(fact, JobRequested) else None

    @property
    def stop_mode(self) -> Literal["keep", "discard"] | None:
        """How the job is to be stopped, None where it is not."""
        fact = self.stop.data if self.stop else None
        return fact.mode if isinstance(fact, StopRequested) else None
