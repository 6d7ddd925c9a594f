"""What the API answers. Fields that this version does not know are kept for `--json`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """A part of an answer; times stay as they were sent, ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Progress(Answer):
    """What the newest heartbeat said; bytes, media seconds, bits per second."""

    phase: str
    bytes_recorded: int = 0
    bytes_durable: int = 0
    media_seconds: float = 0.0
    bitrate: float | None = None
    restarts: int = 0


class Checksum(Answer):
    """A digest of the whole recording, in hexadecimal."""

    algorithm: str
    value: str


class Recording(Answer):
    """A recording that is whole in the store."""

    key: str
    size: int
    checksum: Checksum
    duration: float
    media: dict[str, Any] = Field(default_factory=dict)
    gaps: list[dict[str, Any]] = Field(default_factory=list)
    deleted_at: str | None = None


class Torrent(Answer):
    """The torrent of a recording; without an info-hash where none could be made."""

    state: str
    info_hash: str | None = None
    magnet: str | None = None
    engine: str | None = None
    error: dict[str, Any] | None = None


class Waiting(Answer):
    """What a scheduled job waits for; `place` is that in the line for a recorder."""

    reason: str
    until: str | None = None
    place: int | None = None
    detail: str | None = None


class JobError(Answer):
    """Why a job did not become a recording."""

    code: str
    detail: str
    log_tail: str | None = None


class Milestone(Answer):
    """A line of a job's timeline."""

    at: str
    what: str
    detail: str | None = None
    position: int = 0


class Job(Answer):
    """A job; the timeline only where one job was asked for."""

    id: str
    url: str
    status: str
    title: str | None = None
    site: str | None = None
    filename: str | None = None
    key: str | None = None
    max_duration: float | None = None
    start_at: str | None = None
    requested_at: str | None = None
    attempt: int | None = None
    waiting: Waiting | None = None
    progress: Progress | None = None
    losses: bool = False
    recording: Recording | None = None
    torrent: Torrent | None = None
    error: JobError | None = None
    timeline: list[Milestone] = Field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the job as it was sent."""
        return self.model_dump(mode="json", exclude_unset=True)


class JobPage(Answer):
    """A page of jobs; `next` is the address of the one after it."""

    results: list[Job]
    next: str | None = None


class LoggedEvent(Answer):
    """An event of the log; `event` is the CloudEvent as it came."""

    position: int
    received_at: str
    event: dict[str, Any]


class EventPage(Answer):
    """A page of a job's history."""

    results: list[LoggedEvent]
    next: str | None = None
