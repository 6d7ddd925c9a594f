"""Where recordings are stored: a mixin for the settings of a process."""

from __future__ import annotations

from pathlib import Path

from chronicle_runtime import ServiceSettings
from pydantic import Field


class StorageSettings(ServiceSettings):
    """S3 where a bucket is named, else a folder of this machine."""

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
    aws_endpoint_url_s3: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL_S3",
        description="endpoint for S3 alone; AWS_ENDPOINT_URL where it is not set",
    )
    region: str = Field(
        default="us-east-1", validation_alias="AWS_DEFAULT_REGION", description="AWS region"
    )
    provision: bool | None = Field(
        default=None,
        validation_alias="CHRONICLE_PROVISION",
        description="create what is missing at the endpoint; unset = only on a local endpoint",
    )
    bucket: str | None = Field(
        default=None,
        validation_alias="S3_BUCKET",
        description="bucket for recordings; without it they are kept in CHRONICLE_RECORDINGS",
    )
    recordings: Path = Field(
        default_factory=lambda data: data["home"] / "store",
        validation_alias="CHRONICLE_RECORDINGS",
        description="root folder of the local store (default $CHRONICLE_HOME/store)",
    )

    @property
    def s3_endpoint(self) -> str | None:
        """The endpoint that S3 requests go to; None means AWS."""
        return self.aws_endpoint_url_s3 or self.aws_endpoint_url

    @property
    def may_create_bucket(self) -> bool:
        """Whether this process makes the bucket where it is missing."""
        return self.s3_endpoint is not None if self.provision is None else self.provision
