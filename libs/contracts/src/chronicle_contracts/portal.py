"""Facts that the portal publishes: what people asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from chronicle_contracts.fact import Fact


class JobRequested(Fact, publisher="portal"):
    """Somebody asked for a recording.

    `key` is where the recording will be stored; it is decided here, once, so that every
    attempt and every service speaks of the same object.
    """

    url: str
    key: str
    filename: str
    quality: str | None = None
    live_from_start: bool = False
    max_duration: float | None = Field(default=None, gt=0, description="media seconds")
    start_at: datetime | None = None
    requested_by: str | None = None
    credentials: str | None = Field(
        default=None, description="name of a secret in the vault; never the secret itself"
    )
    audio_only: bool = False
    max_height: int | None = Field(default=None, gt=0, description="pixels")


class StopRequested(Fact, publisher="portal"):
    """Somebody asked to stop a job and to keep, or to discard, what was recorded."""

    mode: Literal["keep", "discard"] = "keep"
    requested_by: str | None = None


class JobExtended(Fact, publisher="portal"):
    """The longest duration of a job was set anew; None means without limit."""

    max_duration: float | None = Field(default=None, gt=0, description="media seconds, in total")
    requested_by: str | None = None


class RetryRequested(Fact, publisher="portal"):
    """Somebody asked to try a job again that was rejected, failed or given up."""

    requested_by: str | None = None


class RecordingDeleted(Fact, publisher="portal"):
    """A recording was removed from the store; its history stays."""

    key: str
    reason: str
    requested_by: str | None = None


class RepeatRequested(Fact, publisher="portal"):
    """The log lacks events of a stream; whoever keeps that stream is asked to say them again.

    `to_sequence` None: up to the stream's end, as far as it has one by now.
    """

    stream: str
    from_sequence: int = Field(ge=1)
    to_sequence: int | None = Field(default=None, ge=1)
    requested_by: str | None = None
