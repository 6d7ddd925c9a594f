"""The state of a job, as its history tells it: the shapes of the read model and of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from chronicle_contracts import JobStatus
from chronicle_contracts.recorder import Checksum, Completeness, Gap, MediaInfo, Phase

from portal.projections.projection import Part


class Progress(Part):
    """What the newest heartbeat said."""

    attempt: int
    phase: Phase
    bytes_recorded: int
    bytes_durable: int
    media_seconds: float
    bitrate: float | None
    free_disk: int | None
    restarts: int
    at: datetime


class Recording(Part):
    """A recording that was delivered to the store; `deleted_at` is set once it was removed."""

    key: str
    size: int
    checksum: Checksum
    duration: float
    media: MediaInfo
    gaps: tuple[Gap, ...] = ()
    completeness: Completeness | None = None
    manifest_key: str | None = None
    deleted_at: datetime | None = None


class TorrentError(Part):
    """Why no torrent could be made."""

    code: str
    detail: str


class Torrent(Part):
    """The torrent of a recording; only `state` and `error` are set where none could be made."""

    state: Literal["created", "seeding", "stopped", "failed"]
    info_hash: str | None = None
    magnet: str | None = None
    key: str | None = None
    piece_length: int | None = None
    trackers: tuple[str, ...] = ()
    web_seeds: tuple[str, ...] = ()
    engine: str | None = None
    uploaded: int | None = None
    ratio: float | None = None
    peers: int | None = None
    error: TorrentError | None = None


class Waiting(Part):
    """What a job that is SCHEDULED waits for; `place` is that in the line, 1 is the next."""

    reason: Literal["upcoming", "scheduled", "capacity"]
    until: datetime | None = None
    place: int | None = None
    detail: str | None = None


class JobError(Part):
    """Why a job was rejected, failed or given up; `log_tail` is the end of the recorder's log."""

    code: str
    detail: str
    log_tail: str = ""


class Milestone(Part):
    """A line of the timeline; `position` is the event's place in the log."""

    at: datetime
    type: str
    what: str
    detail: str | None = None
    position: int = 0


class JobState(Part):
    """Everything that is known of a job.

    `requested_at` is the time of the first event where no request was heard (yet), as with
    the torrent of an object that came into the store by other means. `losses` says that the
    recording that was delivered lacks something.
    """

    id: str
    status: JobStatus = JobStatus.PENDING
    url: str = ""
    title: str | None = None
    site: str | None = None
    filename: str = ""
    key: str = ""
    quality: str | None = None
    live_from_start: bool = False
    audio_only: bool = False
    max_height: int | None = None
    max_duration: float | None = None
    start_at: datetime | None = None
    stop_mode: Literal["keep", "discard"] | None = None
    attempt: int = 0
    requested_by: str | None = None
    requested_at: datetime
    launched_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    completed_at: datetime | None = None
    updated_at: datetime
    waiting: Waiting | None = None
    progress: Progress | None = None
    media: MediaInfo | None = None
    gaps: tuple[Gap, ...] = ()
    recording: Recording | None = None
    losses: bool = False
    torrent: Torrent | None = None
    error: JobError | None = None
    timeline: tuple[Milestone, ...] = ()
    position: int = 0
