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

    url: str = Field(description="what is to be recorded")
    key: str = Field(description="where the recording will be stored")
    filename: str = Field(description="as it was asked for")
    quality: str | None = Field(
        default=None, description="which rendition, as a format expression of yt-dlp"
    )
    live_from_start: bool = Field(
        default=False, description="whether to go back to where the stream began"
    )
    max_duration: float | None = Field(default=None, gt=0, description="media seconds")
    start_at: datetime | None = Field(default=None, description="when to begin; null is now")
    requested_by: str | None = Field(default=None, description="who asked")
    credentials: str | None = Field(
        default=None, description="name of a secret in the vault; never the secret itself"
    )
    audio_only: bool = Field(default=False, description="whether to leave the picture out")
    max_height: int | None = Field(default=None, gt=0, description="pixels")


class StopRequested(Fact, publisher="portal"):
    """Somebody asked to stop a job and to keep, or to discard, what was recorded."""

    mode: Literal["keep", "discard"] = Field(
        default="keep", description="whether what was recorded stays"
    )
    requested_by: str | None = Field(default=None, description="who asked")


class JobExtended(Fact, publisher="portal"):
    """The longest duration of a job was set anew; None means without limit."""

    max_duration: float | None = Field(default=None, gt=0, description="media seconds, in total")
    requested_by: str | None = Field(default=None, description="who asked")


class RetryRequested(Fact, publisher="portal"):
    """Somebody asked to try a job again that was rejected, failed or given up."""

    requested_by: str | None = Field(default=None, description="who asked")


class RecordingDeleted(Fact, publisher="portal"):
    """A recording was removed from the store; its history stays."""

    key: str = Field(description="of the recording in the store")
    reason: str = Field(description="why it was removed")
    requested_by: str | None = Field(default=None, description="who asked")


class RepeatRequested(Fact, publisher="portal"):
    """The log lacks events of a stream; whoever keeps that stream is asked to say them again.

    `to_sequence` None: up to the stream's end, as far as it has one by now.
    """

    stream: str = Field(description="the stream with the hole")
    from_sequence: int = Field(ge=1, description="the first that is missing")
    to_sequence: int | None = Field(default=None, ge=1, description="the last that is missing")
    requested_by: str | None = Field(default=None, description="who asked")
