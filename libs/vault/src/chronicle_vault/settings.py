"""Which vault: a mixin for the settings of a process."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from chronicle_runtime import ServiceSettings
from pydantic import Field


class VaultSettings(ServiceSettings):
    """A folder on one machine, Secrets Manager where several share the work."""

    home: Path = Field(
        default=Path(".chronicle"),
        validation_alias="CHRONICLE_HOME",
        description="folder for the state of this machine",
    )
    aws_endpoint_url: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL",
        description="endpoint in place of AWS itself",
    )
    region: str = Field(
        default="us-east-1", validation_alias="AWS_DEFAULT_REGION", description="AWS region"
    )
    prefix: str = Field(
        default="chronicle",
        validation_alias="CHRONICLE_PREFIX",
        pattern=r"^[A-Za-z0-9_-]{1,48}$",
        description="first part of the names of secrets; lets stacks share an account",
    )
    vault: Literal["folder", "aws"] = Field(
        default="folder",
        validation_alias="CHRONICLE_VAULT",
        description="where cookies and headers of jobs are kept: folder = vault/ in "
        "CHRONICLE_HOME, aws = Secrets Manager; the same in portal, dispatcher and recorder",
    )
