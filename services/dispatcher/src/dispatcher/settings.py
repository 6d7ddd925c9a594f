"""The dispatcher's settings."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from chronicle_eventstore import sqlite_environment
from chronicle_messaging import MessagingSettings
from chronicle_storage import StorageSettings
from chronicle_vault import VaultSettings
from pydantic import Field, field_validator

from dispatcher.domain.silence import Patience
from dispatcher.handlers import Limits


class DispatcherSettings(MessagingSettings, VaultSettings, StorageSettings):
    """What can be set; the defaults are those of one machine."""

    home: Path = Field(
        default=Path(".chronicle"),
        validation_alias="CHRONICLE_HOME",
        description="state of this machine: the dispatcher's store and the recorders' work folders",
    )
    launcher: Literal["process"] = Field(
        default="process",
        validation_alias="CHRONICLE_LAUNCHER",
        description="how recorders are started: process = on this machine",
    )
    recorder_command: str | None = Field(
        default=None,
        validation_alias="CHRONICLE_RECORDER_COMMAND",
        description="command line of a recorder, without a shell; unset = this Python's recorder, "
        "forked from one that is loaded",
    )
    max_recordings: int = Field(
        default=20,
        ge=1,
        validation_alias="MAX_RECORDINGS",
        description="recordings at once; more wait, in turn by who asked for them",
    )
    least_disk: int = Field(
        default=1024 * 1024 * 1024,
        ge=0,
        validation_alias="CHRONICLE_LAUNCH_FREE_DISK",
        description="bytes that must be free in CHRONICLE_HOME for another recording to begin",
    )
    keep_credentials: float = Field(
        default=24 * 3600.0,
        ge=0,
        validation_alias="CHRONICLE_CREDENTIALS_TTL",
        description="seconds that cookies and headers of a job without a recording are kept after "
        "its end, for another try; after a delivery they are deleted at once",
    )
    preflight_timeout: float = Field(
        default=20.0,
        gt=0,
        validation_alias="CHRONICLE_PREFLIGHT_TIMEOUT",
        description="seconds for looking at a URL before it is recorded",
    )
    heartbeat_timeout: float = Field(
        default=90.0,
        gt=0,
        validation_alias="CHRONICLE_HEARTBEAT_TIMEOUT",
        description="seconds that a recording's media time may stand still before it is lost",
    )
    start_timeout: float = Field(
        default=60.0,
        gt=0,
        validation_alias="CHRONICLE_START_TIMEOUT",
        description="as the recorders have it: seconds they wait for the first media",
    )
    idle_timeout: float = Field(
        default=180.0,
        gt=0,
        validation_alias="CHRONICLE_IDLE_TIMEOUT",
        description="as the recorders have it: seconds they wait for media that stays away",
    )
    deliver_timeout: float = Field(
        default=3600.0,
        gt=0,
        validation_alias="CHRONICLE_DELIVER_TIMEOUT",
        description="as the recorders have it: seconds they try to deliver while the store fails",
    )
    supervision_interval: float = Field(
        default=2.0,
        gt=0,
        validation_alias="CHRONICLE_SUPERVISION_INTERVAL",
        description="seconds between two looks at everything that runs or waits",
    )
    janitor_interval: float = Field(
        default=3600.0,
        gt=0,
        validation_alias="CHRONICLE_JANITOR_INTERVAL",
        description="seconds between two rounds that remove what crashes left behind",
    )
    leftover_grace: float = Field(
        default=2 * 24 * 3600.0,
        ge=3600.0,
        validation_alias="CHRONICLE_LEFTOVER_GRACE",
        description="seconds that what was left behind stays after its job's end and its last use",
    )
    workers: int = Field(
        default=8,
        ge=1,
        validation_alias="CHRONICLE_DISPATCHER_WORKERS",
        description="messages that are handled side by side",
    )
    allow_private_addresses: bool = Field(
        default=False,
        validation_alias="CHRONICLE_ALLOW_PRIVATE_ADDRESSES",
        description="development only: record from addresses that are not public",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        validation_alias="CHRONICLE_LOG_LEVEL",
        description="least severe log lines to write",
    )

    @field_validator("recorder_command")
    @classmethod
    def _is_a_command(cls, value: str | None) -> str | None:
        if value is not None and not shlex.split(value):
            raise ValueError("name a program and its arguments")
        return value

    @property
    def command(self) -> Sequence[str] | None:
        """The recorder's own command line, in words; None where there is none."""
        return None if self.recorder_command is None else shlex.split(self.recorder_command)

    @property
    def limits(self) -> Limits:
        """What the handlers keep to."""
        return Limits(
            most_recordings=self.max_recordings,
            least_disk=self.least_disk,
            keep_credentials=timedelta(seconds=self.keep_credentials),
            patience=Patience(
                limit=self.heartbeat_timeout,
                starting=self.start_timeout,
                idle=self.idle_timeout,
                delivering=self.deliver_timeout,
            ),
        )

    @property
    def work(self) -> Path:
        """Where the work folders of jobs lie."""
        return self.home / "work"

    def store_environment(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the event store's variables: eventsourcing's own where they are set."""
        if "PERSISTENCE_MODULE" in environment:
            return environment
        folder = self.home / "dispatcher"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return sqlite_environment(str(folder / "events.sqlite"))
