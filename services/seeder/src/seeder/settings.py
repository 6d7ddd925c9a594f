"""The settings of the seeder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from chronicle_messaging import MessagingSettings
from chronicle_storage import StorageSettings
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from seeder.domain.policy import Limits

GB = 1_000_000_000
Words = Annotated[tuple[str, ...], NoDecode]


class SeederSettings(MessagingSettings, StorageSettings):
    """Everything that can be set; the defaults seed from this machine to this machine."""

    trackers: Words = Field(
        default=(),
        validation_alias="TRACKERS",
        description="announce addresses (udp, http, https), comma-separated; all in one tier",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        validation_alias="CHRONICLE_PUBLIC_URL",
        description="the portal's address as others see it; web seeds begin with it",
    )
    webseed_secret: SecretStr | None = Field(
        default=None,
        validation_alias="CHRONICLE_WEBSEED_SECRET",
        description="what the portal knows web seed addresses by; unset = no web seeds",
    )
    transmission_url: SecretStr | None = Field(
        default=None,
        validation_alias="TRANSMISSION_URL",
        description="RPC address of Transmission, with name and password, in place of libtorrent",
    )
    transmission_recordings: Path | None = Field(
        default=None,
        validation_alias="CHRONICLE_TRANSMISSION_RECORDINGS",
        description="folder where Transmission sees the recordings; unset = where we do",
    )
    listen: str = Field(
        default="127.0.0.1:0",
        validation_alias="CHRONICLE_SEEDER_LISTEN",
        pattern=r"^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d{1,5}$",
        description="address:port that libtorrent listens on; port 0 = a free one",
    )
    discovery: bool = Field(
        default=False,
        validation_alias="CHRONICLE_SEEDER_DISCOVERY",
        description="libtorrent: DHT, local peer discovery, UPnP and NAT-PMP",
    )
    tracker_whitelist: Path | None = Field(
        default=None,
        validation_alias="CHRONICLE_TRACKER_WHITELIST",
        description="whitelist file of an opentracker of ours; unset = nobody to tell",
    )
    tracker_pid_file: Path | None = Field(
        default=None,
        validation_alias="CHRONICLE_TRACKER_PID_FILE",
        description="file with the process id of that opentracker, which gets SIGHUP",
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=64,
        validation_alias="CHRONICLE_SEEDER_WORKERS",
        description="events handled side by side; each may be hashing a recording",
    )
    reconcile_every: float = Field(
        default=30.0,
        gt=0,
        validation_alias="CHRONICLE_RECONCILE_EVERY",
        description="seconds between passes that make the engine match the records",
    )
    seed_ratio: float | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_SEED_RATIO",
        description="stop seeding once so many times its size was sent; unset = never",
    )
    seed_idle_days: float | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_SEED_IDLE_DAYS",
        description="stop seeding what nobody fetched for so long; unset = never",
    )
    seed_age_days: float | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_SEED_AGE_DAYS",
        description="stop seeding after so long; unset = never",
    )
    seed_total_gb: float | None = Field(
        default=None,
        gt=0,
        validation_alias="CHRONICLE_SEED_TOTAL_GB",
        description="seed at most so much, what moved last first; unset = everything",
    )
    seed_pinned: Words = Field(
        default=(),
        validation_alias="CHRONICLE_SEED_PINNED",
        description="jobs, comma-separated, that no limit stops",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="CHRONICLE_LOG_LEVEL", description="least level logged"
    )

    @field_validator("trackers", "seed_pinned", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("trackers")
    @classmethod
    def _announce(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in {"udp", "http", "https"} or not parts.hostname:
                raise ValueError(f"{url!r} is no udp, http or https address")
        return value

    @model_validator(mode="after")
    def _something_serves(self) -> Self:
        if self.bucket and self.transmission_url is None and self.webseed_secret is None:
            raise ValueError(
                "recordings in a bucket are offered by Transmission or by a web seed: "
                "set TRANSMISSION_URL or CHRONICLE_WEBSEED_SECRET"
            )
        return self

    @property
    def http_tracker(self) -> str | None:
        """The first tracker that can be asked over HTTP."""
        return next((url for url in self.trackers if url.startswith("http")), None)

    @property
    def limits(self) -> Limits:
        """How long a torrent is offered."""
        return Limits(
            ratio=self.seed_ratio,
            idle=_days(self.seed_idle_days),
            age=_days(self.seed_age_days),
            total_bytes=None if self.seed_total_gb is None else int(self.seed_total_gb * GB),
            pinned=frozenset(self.seed_pinned),
        )


def _days(count: float | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)
