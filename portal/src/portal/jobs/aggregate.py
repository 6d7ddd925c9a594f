"""The portal's aggregate: what was asked of a job, in its stream `portal/<job>`."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatchmethod
from typing import Literal

from chronicle_contracts import Fact, naming
from chronicle_contracts.portal import (
    JobExtended,
    JobRequested,
    RecordingDeleted,
    RepeatRequested,
    RetryRequested,
    StopRequested,
)
from chronicle_eventstore import Aggregate


class RequestedJob(Aggregate):
    """What people asked of one job; what became of it is told by the other publishers."""

    SOURCE = "/portal"

    request: JobRequested | None
    max_duration: float | None

    def begin(self) -> None:
        """Nothing was asked yet."""
        self.request = None
        self.max_duration = None

    @classmethod
    def blank(cls, job_id: str, at: datetime) -> RequestedJob:
        """Return the aggregate of a job of which nothing was asked yet."""
        return cls.at_stream(naming.portal_stream(job_id), job_id, at)

    @singledispatchmethod
    def apply(self, fact: Fact) -> None:
        """Evolve by a fact; most change nothing that is decided from."""

    @apply.register
    def _(self, fact: JobRequested) -> None:
        self.request = fact
        self.max_duration = fact.max_duration

    @apply.register
    def _(self, fact: JobExtended) -> None:
        self.max_duration = fact.max_duration

    def ask_to_record(self, request: JobRequested, *, at: datetime) -> None:
        """Record the request that makes the job."""
        assert self.request is None
        self.record(request, at=at)

    def ask_to_stop(
        self, mode: Literal["keep", "discard"], *, by: str | None, at: datetime
    ) -> None:
        """Record that it is to stop."""
        self.record(StopRequested(mode=mode, requested_by=by), at=at)

    def extend(self, max_duration: float | None, *, by: str | None, at: datetime) -> None:
        """Record the new longest duration, unless it is the one that holds already."""
        if max_duration != self.max_duration:
            self.record(JobExtended(max_duration=max_duration, requested_by=by), at=at)

    def ask_to_retry(self, *, by: str | None, at: datetime) -> None:
        """Record that it is to be tried again."""
        self.record(RetryRequested(requested_by=by), at=at)

    def note_deletion(self, key: str, reason: str, *, by: str | None, at: datetime) -> None:
        """Record that the recording was removed from the store."""
        self.record(RecordingDeleted(key=key, reason=reason, requested_by=by), at=at)

    def ask_to_repeat(self, wanted: RepeatRequested, *, at: datetime) -> None:
        """Record that somebody is to say again what the log lacks."""
        self.record(wanted, at=at)
