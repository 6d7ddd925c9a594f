"""Facts that a recorder publishes: the life of one run, which ends with a sealed event."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chronicle_contracts.fact import Fact

Phase = Literal["STARTED", "RECORDING", "UPLOADING"]
EndReason = Literal[
    "ended",  # the source said so (end mark) or is offline
    "stopped",  # somebody asked to stop and keep
    "discarded",  # somebody asked to stop and discard
    "max_duration",
    "terminated",  # the recorder's machine or service was told to go
    "stalled",  # nothing came any more and the site did not say that it ended
    "failed",
]

LOG_TAIL_BYTES = 2048


class RunFact(Fact):
    """What all facts of a run share: which run of which attempt speaks."""

    run_id: str
    attempt: int = Field(ge=1)


class MediaInfo(BaseModel):
    """What the recording is made of, as read from its streams."""

    model_config = ConfigDict(frozen=True, extra="allow")

    container: str = "matroska"
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None


class Checksum(BaseModel):
    """A digest of a whole object, in hexadecimal."""

    model_config = ConfigDict(frozen=True, extra="allow")

    algorithm: Literal["sha256", "crc64nvme"]
    value: str


class Gap(BaseModel):
    """A stretch of media that was not recorded."""

    model_config = ConfigDict(frozen=True, extra="allow")

    cause: str
    seconds: float = Field(ge=0)
    at_media_seconds: float = Field(ge=0, description="place in the recording")
    at: datetime | None = Field(default=None, description="wall clock at which it began")


class RecordingStarted(RunFact, publisher="recorder"):
    """The first media byte was kept."""

    key: str
    protocol: str
    format: str | None = Field(default=None, description="the rendition that was chosen")
    title: str | None = None
    media: MediaInfo = MediaInfo()
    start_gap: float | None = Field(
        default=None, description="seconds from the run's start to its first media byte"
    )


class Heartbeat(RunFact, publisher="recorder"):
    """The run lives; `media_seconds` is what shows that it moves."""

    phase: Phase
    bytes_recorded: int = Field(ge=0)
    bytes_durable: int = Field(ge=0, description="bytes that the recording store confirmed")
    media_seconds: float = Field(ge=0)
    bitrate: float | None = Field(default=None, description="bits per second of media time")
    free_disk: int | None = Field(default=None, description="bytes free where the spool lies")
    restarts: int = Field(default=0, ge=0, description="restarts of fetcher or remuxer so far")


class CaptureInterrupted(RunFact, publisher="recorder"):
    """Media stopped coming; the recorder goes on trying."""

    cause: str
    detail: str | None = None
    media_seconds: float = Field(ge=0)


class CaptureResumed(RunFact, publisher="recorder"):
    """Media comes again, `after` seconds of wall clock later."""

    after: float = Field(ge=0)
    media_seconds: float = Field(ge=0)


class GapFound(RunFact, publisher="recorder"):
    """Media is missing from the recording."""

    gap: Gap


class RecordingEnded(RunFact, publisher="recorder"):
    """Nothing more is recorded in this run; what there is is being delivered."""

    why: EndReason
    detail: str | None = None
    media_seconds: float = Field(ge=0)


class Uploaded(RunFact, publisher="recorder"):
    """The recording is whole in the store and was verified there."""

    key: str
    size: int = Field(ge=0, description="bytes")
    checksum: Checksum
    etag: str | None = None
    duration: float = Field(ge=0, description="seconds, as probed")
    media: MediaInfo = MediaInfo()
    gaps: tuple[Gap, ...] = ()


class RecordingFailed(RunFact, publisher="recorder"):
    """The run ended without a recording; `log_tail` is the last 2,048 bytes of its log."""

    code: str
    detail: str
    log_tail: str = ""
    saved_bytes: int = Field(default=0, ge=0)
    saved_key: str | None = None
