"""Facts that the dispatcher publishes: what it decided about a job and its recorders."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from chronicle_contracts.fact import Fact

LiveStatus = Literal["live", "upcoming", "finished", "unknown"]


class JobAccepted(Fact, publisher="dispatcher"):
    """The URL was looked at and something recordable stands behind it."""

    title: str | None = Field(default=None, description="of the stream, as its site calls it")
    site: str | None = Field(default=None, description="which site or kind of source it is")
    live_status: LiveStatus = Field(default="unknown", description="what the site says about it")
    protocol: str | None = Field(default=None, description="how it is fetched, e.g. hls")


class JobRejected(Fact, publisher="dispatcher"):
    """The job cannot be recorded as it was asked for; `detail` is a sentence for people."""

    code: str = Field(description="what went wrong, for machines")
    detail: str = Field(description="a sentence for people")


class JobDeferred(Fact, publisher="dispatcher"):
    """The job waits: for its stream to begin, for its start time, or for a free place.

    `until`: when the stream or the job is to begin, None where nobody knows. It is said again
    where the site moves its stream, and where a job comes nearer to a free place.
    """

    reason: Literal["upcoming", "scheduled", "capacity"] = Field(description="what it waits for")
    until: datetime | None = Field(
        default=None, description="when it is to begin; null where nobody knows"
    )
    title: str | None = Field(default=None, description="of the stream, as its site calls it")
    place: int | None = Field(default=None, ge=1, description="in line, 1 is the next")
    detail: str | None = Field(default=None, description="a sentence for people")


class RecorderLaunched(Fact, publisher="dispatcher"):
    """A recorder was started; `reference` finds its process or task again.

    With `deliver_only` it records nothing more, and delivers what earlier attempts saved.
    """

    run_id: str = Field(description="the run: job and attempt")
    attempt: int = Field(ge=1, description="number of the attempt, from 1")
    launcher: str = Field(description="what starts recorders here: process or ecs")
    reference: str = Field(description="finds the process or task again")
    deliver_only: bool = Field(
        default=False, description="whether it only delivers what earlier attempts saved"
    )


class LaunchFailed(Fact, publisher="dispatcher"):
    """A recorder could not be started."""

    run_id: str = Field(description="the run: job and attempt")
    attempt: int = Field(ge=1, description="number of the attempt, from 1")
    launcher: str = Field(description="what starts recorders here: process or ecs")
    code: str = Field(description="what went wrong, for machines")
    detail: str = Field(description="a sentence for people")


class RecorderLost(Fact, publisher="dispatcher"):
    """A recorder ended without a word, or its media time stood still for too long."""

    run_id: str = Field(description="the run: job and attempt")
    attempt: int = Field(ge=1, description="number of the attempt, from 1")
    reason: Literal["exited", "silent"] = Field(description="how it was noticed")
    detail: str = Field(description="a sentence for people")


class JobAbandoned(Fact, publisher="dispatcher"):
    """The dispatcher will not try again; `code` is `stopped` when somebody asked for that."""

    code: str = Field(description="why, for machines")
    detail: str = Field(description="a sentence for people")
    attempts: int = Field(ge=0, description="how many there were")
