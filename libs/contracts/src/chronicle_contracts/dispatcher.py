"""Facts that the dispatcher publishes: what it decided about a job and its recorders."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from chronicle_contracts.fact import Fact

LiveStatus = Literal["live", "upcoming", "finished", "unknown"]


class JobAccepted(Fact, publisher="dispatcher"):
    """The URL was looked at and something recordable stands behind it."""

    title: str | None = None
    site: str | None = None
    live_status: LiveStatus = "unknown"
    protocol: str | None = None


class JobRejected(Fact, publisher="dispatcher"):
    """The job cannot be recorded as it was asked for; `detail` is a sentence for people."""

    code: str
    detail: str


class JobDeferred(Fact, publisher="dispatcher"):
    """The job waits: for its stream to begin, for its start time, or for a free place.

    `until`: when the stream or the job is to begin, None where nobody knows. It is said again
    where the site moves its stream, and where a job comes nearer to a free place.
    """

    reason: Literal["upcoming", "scheduled", "capacity"]
    until: datetime | None = None
    title: str | None = None
    place: int | None = Field(default=None, ge=1, description="in line, 1 is the next")
    detail: str | None = Field(default=None, description="a sentence for people")


class RecorderLaunched(Fact, publisher="dispatcher"):
    """A recorder was started; `reference` finds its process or task again.

    With `deliver_only` it records nothing more, and delivers what earlier attempts saved.
    """

    run_id: str
    attempt: int = Field(ge=1)
    launcher: str
    reference: str
    deliver_only: bool = False


class LaunchFailed(Fact, publisher="dispatcher"):
    """A recorder could not be started."""

    run_id: str
    attempt: int = Field(ge=1)
    launcher: str
    code: str
    detail: str


class RecorderLost(Fact, publisher="dispatcher"):
    """A recorder ended without a word, or its media time stood still for too long."""

    run_id: str
    attempt: int = Field(ge=1)
    reason: Literal["exited", "silent"]
    detail: str


class JobAbandoned(Fact, publisher="dispatcher"):
    """The dispatcher will not try again; `code` is `stopped` when somebody asked for that."""

    code: str
    detail: str
    attempts: int = Field(ge=0)
