"""Settings of the one-machine stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from chronicle_runtime import ServiceSettings
from pydantic import Field, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(ServiceSettings):
    """Where the stack keeps its state and which ports of 127.0.0.1 it takes."""

    home: Path = Field(
        Path(".chronicle"),
        validation_alias="CHRONICLE_HOME",
        description="folder in which everything of this machine's stack is kept",
    )
    aws_port: Port = Field(
        4566, validation_alias="CHRONICLE_AWS_PORT", description="port of the AWS endpoint"
    )
    portal_port: Port = Field(
        8000, validation_alias="CHRONICLE_PORTAL_PORT", description="port of the portal"
    )
    tracker_port: Port = Field(
        6969,
        validation_alias="CHRONICLE_TRACKER_PORT",
        description="port of the BitTorrent tracker, TCP and UDP; unused where opentracker is not "
        "installed",
    )
    recordings: Path | None = Field(
        None,
        validation_alias="CHRONICLE_RECORDINGS",
        description="root folder of the local store; store/ in CHRONICLE_HOME",
    )
    recorder_grace: float = Field(
        120.0,
        validation_alias="CHRONICLE_RECORDER_GRACE",
        description="seconds that running recorders are given to deliver when the stack stops",
        gt=0,
    )
    allow_private_addresses: bool = Field(
        default=False,
        validation_alias="CHRONICLE_ALLOW_PRIVATE_ADDRESSES",
        description="record from private addresses too; development only (the demo turns it on)",
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = [self.aws_port, self.portal_port, self.tracker_port]
        if len(set(ports)) < len(ports):
            raise ValueError(
                "CHRONICLE_AWS_PORT, CHRONICLE_PORTAL_PORT and CHRONICLE_TRACKER_PORT must "
                f"differ (they are {ports}); give each its own"
            )
        return self

    @property
    def folder(self) -> Path:
        """The home as an absolute path: the stack's processes have other working directories."""
        return self.home.expanduser().resolve()

    @property
    def recordings_folder(self) -> Path:
        """The root folder of the recordings as an absolute path."""
        return (self.recordings or self.folder / "store").expanduser().resolve()

    @property
    def aws_url(self) -> str:
        """The AWS endpoint."""
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def portal_url(self) -> str:
        """The portal, as people and torrent clients of this machine see it."""
        return f"http://127.0.0.1:{self.portal_port}"
