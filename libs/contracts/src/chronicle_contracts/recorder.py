"""Facts that a recorder publishes: the life of one run, which ends with a sealed event."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from chronicle_contracts.fact import OPEN, Fact

Phase = Literal["STARTED", "RECORDING", "UPLOADING"]
EndReason = Literal[
    "ended",  # the source said so (end mark)
    "offline",  # the site says that nobody is live
    "frozen",  # the playlist stood still although the site calls it live
    "needs_login",  # the site asks for a login now
    "blocked",  # the site refuses this machine now
    "gone",  # the page or the stream was taken away
    "stopped",  # somebody asked to stop and keep
    "discarded",  # somebody asked to stop and discard
    "max_duration",
    "terminated",  # the recorder's machine or service was told to go
    "stalled",  # nothing came any more and the site could not be asked
    "failed",
]

LOG_TAIL_BYTES = 2048


class RunFact(Fact):
    """What all facts of a run share: which run of which attempt speaks."""

    run_id: str = Field(description="the run: job and attempt")
    attempt: int = Field(ge=1, description="number of the attempt, from 1")


class MediaInfo(BaseModel):
    """What the recording is made of, as read from its streams."""

    model_config = OPEN

    container: str = Field(default="matroska", description="file format")
    video_codec: str | None = Field(default=None, description="e.g. h264")
    audio_codec: str | None = Field(default=None, description="e.g. aac")
    width: int | None = Field(default=None, description="pixels")
    height: int | None = Field(default=None, description="pixels")
    fps: float | None = Field(default=None, description="frames a second")


class Checksum(BaseModel):
    """A digest of a whole object, in hexadecimal."""

    model_config = OPEN

    algorithm: Literal["sha256", "crc64nvme"] = Field(description="how it was made")
    value: str = Field(description="in hexadecimal")


class Gap(BaseModel):
    """A stretch of media that was not recorded."""

    model_config = OPEN

    cause: str = Field(description="what happened, in a word")
    seconds: float = Field(ge=0, description="seconds of media")
    at_media_seconds: float = Field(ge=0, description="place in the recording")
    at: datetime | None = Field(default=None, description="wall clock at which it began")


class Completeness(BaseModel):
    """How much of what there was to record is in the recording."""

    model_config = OPEN

    score: float = Field(ge=0, le=1, description="share of the media that is there; 1 is all of it")
    wall_seconds: float | None = Field(
        default=None,
        ge=0,
        description="seconds of wall clock from the first media kept to the end of the source",
    )
    missing_seconds: float = Field(ge=0, description="seconds of media in gaps")
    start_delay: float | None = Field(
        default=None, ge=0, description="seconds from the run's launch to its first media"
    )
    drift: float | None = Field(
        default=None, description="seconds between the ends of video and sound"
    )
    segments_expected: int | None = Field(
        default=None, ge=0, description="segments that the source announced"
    )
    segments_kept: int | None = Field(default=None, ge=0, description="segments that were kept")
    verified: bool = Field(description="size, checksum, duration and playability were checked")


def share_kept(duration: float, missing_seconds: float) -> float:
    """Return the share of the media that is there, 0 to 1; both in seconds."""
    if not missing_seconds:
        return 1.0
    # Divided this way round nothing can overflow to NaN.
    return 1.0 / (1.0 + missing_seconds / duration) if duration else 0.0


class RecordingStarted(RunFact, publisher="recorder"):
    """The first media byte was kept."""

    key: str = Field(description="of the recording in the store")
    protocol: str = Field(description="how it is fetched, e.g. hls")
    format: str | None = Field(default=None, description="the rendition that was chosen")
    title: str | None = Field(default=None, description="of the stream, as its site calls it")
    media: MediaInfo = Field(default=MediaInfo(), description="what it is made of")
    start_gap: float | None = Field(
        default=None, description="seconds from the run's start to its first media byte"
    )
    programme_time: datetime | None = Field(
        default=None, description="the source's own clock (EXT-X-PROGRAM-DATE-TIME) at that media"
    )


class Heartbeat(RunFact, publisher="recorder"):
    """The run lives; `media_seconds` is what shows that it moves."""

    phase: Phase = Field(description="where the run is")
    bytes_recorded: int = Field(ge=0, description="bytes fetched and kept so far")
    bytes_durable: int = Field(ge=0, description="bytes that the recording store confirmed")
    media_seconds: float = Field(ge=0, description="seconds of media so far")
    bitrate: float | None = Field(default=None, description="bits per second of media time")
    free_disk: int | None = Field(default=None, description="bytes free where the spool lies")
    restarts: int = Field(default=0, ge=0, description="restarts of fetcher or remuxer so far")


class CaptureInterrupted(RunFact, publisher="recorder"):
    """Media stopped coming; the recorder goes on trying."""

    cause: str = Field(description="what happened, in a word")
    detail: str | None = Field(default=None, description="a sentence for people")
    media_seconds: float = Field(ge=0, description="seconds of media so far")


class CaptureResumed(RunFact, publisher="recorder"):
    """Media comes again, `after` seconds of wall clock later."""

    after: float = Field(ge=0, description="seconds of wall clock")
    media_seconds: float = Field(ge=0, description="seconds of media so far")


class GapFound(RunFact, publisher="recorder"):
    """Media is missing from the recording."""

    gap: Gap = Field(description="what is missing")


class RecordingEnded(RunFact, publisher="recorder"):
    """Nothing more is recorded in this run; what there is is being delivered."""

    why: EndReason = Field(description="what ended it")
    detail: str | None = Field(default=None, description="a sentence for people")
    media_seconds: float = Field(ge=0, description="seconds of media so far")


class Uploaded(RunFact, publisher="recorder", version=2):
    """The recording is whole in the store and was verified there.

    Version 1 said nothing about completeness: `chronicle_contracts.superseded`.
    """

    key: str = Field(description="of the recording in the store")
    size: int = Field(ge=0, description="bytes")
    checksum: Checksum = Field(description="of the whole object")
    etag: str | None = Field(default=None, description="as the store gave it")
    duration: float = Field(ge=0, description="seconds, as probed")
    media: MediaInfo = Field(default=MediaInfo(), description="what it is made of")
    gaps: tuple[Gap, ...] = Field(default=(), description="what is missing")
    completeness: Completeness = Field(description="how much of what there was is there")
    manifest_key: str | None = Field(
        default=None, description="the recording's manifest, beside it in the store"
    )


class RecordingFailed(RunFact, publisher="recorder"):
    """The run ended without a recording; `log_tail` is the last 2,048 bytes of its log."""

    code: str = Field(description="what went wrong, for machines")
    detail: str = Field(description="a sentence for people")
    log_tail: str = Field(default="", description="the last of its log")
    saved_bytes: int = Field(
        default=0, ge=0, description="bytes that lie in the store all the same"
    )
    saved_key: str | None = Field(default=None, description="where they lie")
