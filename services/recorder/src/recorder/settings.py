"""What a recorder is told by its environment."""

from __future__ import annotations

from pathlib import Path

from chronicle_contracts.naming import JOB_ID, run_id
from chronicle_messaging.settings import MessagingSettings
from chronicle_storage import StorageSettings
from chronicle_vault import VaultSettings
from pydantic import AwareDatetime, Field, field_validator


class RecorderSettings(MessagingSettings, StorageSettings, VaultSettings):
    """One run: its job, its source, its place, and the patience it has."""

    job_id: str = Field(
        validation_alias="JOB_ID", pattern=f"^{JOB_ID.pattern}$", description="job to record"
    )
    url: str = Field(validation_alias="URL", min_length=1, description="page or stream to record")
    key: str = Field(
        validation_alias="S3_KEY",
        pattern=r"^[A-Za-z0-9._/-]+\.mkv$",
        description="key of the recording in the store, ending in .mkv",
    )
    attempt: int = Field(
        default=1, ge=1, validation_alias="CHRONICLE_ATTEMPT", description="number of this attempt"
    )
    work_dir: Path = Field(
        default_factory=lambda data: data["home"] / "recorder" / data.get("job_id", "unknown"),
        validation_alias="CHRONICLE_WORK_DIR",
        description="folder of the job, shared by its attempts ($CHRONICLE_HOME/recorder/<job>)",
    )
    quality: str | None = Field(
        default=None,
        validation_alias="CHRONICLE_QUALITY",
        description="best, worst, audio, a height such as 720p, or a yt-dlp format selection",
    )
    max_duration: float | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_MAX_DURATION",
        description="longest recording in seconds of media; none = until the stream ends",
    )
    live_from_start: bool = Field(
        default=False,
        validation_alias="CHRONICLE_LIVE_FROM_START",
        description="begin with the oldest media that the source still has",
    )
    catch_up: AwareDatetime | None = Field(
        default=None,
        validation_alias="CHRONICLE_CATCH_UP",
        description="moment since which media is wanted: what was sent since then is fetched "
        "first, as far as the source still has it",
    )
    audio_only: bool = Field(
        default=False,
        validation_alias="CHRONICLE_AUDIO_ONLY",
        description="record the sound without the picture",
    )
    max_height: int | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_MAX_HEIGHT",
        description="highest picture in lines; none = no limit",
    )
    credentials: str | None = Field(
        default=None,
        validation_alias="CHRONICLE_CREDENTIALS",
        description="name of the secret in the vault with the cookies and headers of the job",
    )
    look_given: bool = Field(
        default=False,
        validation_alias="CHRONICLE_LOOK_GIVEN",
        description="whoever launched this has just looked at the URL: what was found is on "
        "standard input",
    )
    deliver_only: bool = Field(
        default=False,
        validation_alias="CHRONICLE_DELIVER_ONLY",
        description="record nothing more, deliver what earlier attempts saved",
    )
    allow_private: bool = Field(
        default=False,
        validation_alias="CHRONICLE_ALLOW_PRIVATE_ADDRESSES",
        description="record from addresses that are not public (development only)",
    )
    ffmpeg: Path | None = Field(
        default=None,
        validation_alias="CHRONICLE_FFMPEG",
        description="ffmpeg to use in place of the packaged one (version 9 or newer)",
    )
    resolve_timeout: float = Field(
        default=20.0,
        gt=0,
        validation_alias="CHRONICLE_RESOLVE_TIMEOUT",
        description="seconds that finding the stream behind the URL may take",
    )
    start_timeout: float = Field(
        default=60.0,
        gt=0,
        validation_alias="CHRONICLE_START_TIMEOUT",
        description="seconds to wait for the first media",
    )
    idle_timeout: float = Field(
        default=180.0,
        gt=0,
        validation_alias="CHRONICLE_IDLE_TIMEOUT",
        description="seconds without media after which a recording ends, whatever the site says",
    )
    offline_timeout: float = Field(
        default=60.0,
        gt=0,
        validation_alias="CHRONICLE_OFFLINE_TIMEOUT",
        description="seconds without media after which a site's word that nobody is live is taken",
    )
    deliver_timeout: float = Field(
        default=3600.0,
        gt=0,
        validation_alias="CHRONICLE_DELIVER_TIMEOUT",
        description="seconds to keep trying to deliver while the store fails",
    )
    drain_timeout: float = Field(
        default=600.0,
        gt=0,
        validation_alias="CHRONICLE_DRAIN_TIMEOUT",
        description="seconds to keep trying to publish at the end",
    )
    heartbeat: float = Field(
        default=5.0,
        gt=0,
        validation_alias="CHRONICLE_HEARTBEAT",
        description="seconds between heartbeats",
    )
    flush_interval: float = Field(
        default=6.0,
        gt=0,
        validation_alias="CHRONICLE_FLUSH_INTERVAL",
        description="seconds after which recorded media is made durable",
    )
    min_free_disk: int = Field(
        default=256 * 1024 * 1024,
        ge=0,
        validation_alias="CHRONICLE_MIN_FREE_DISK",
        description="bytes that must be free where media is written; with less it waits",
    )
    log_level: str = Field(
        default="INFO",
        validation_alias="CHRONICLE_LOG_LEVEL",
        pattern=r"^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR",
    )

    @field_validator("work_dir", "recordings", "home")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.absolute()

    @property
    def run_id(self) -> str:
        """The name of this run."""
        return run_id(self.job_id, self.attempt)

    @property
    def since(self) -> float | None:
        """From which moment on media is wanted (Unix time); None: the live edge."""
        if self.live_from_start:
            return 0.0
        return self.catch_up.timestamp() if self.catch_up else None
