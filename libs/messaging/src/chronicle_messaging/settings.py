"""Where topics and queues are and what they are called."""

from __future__ import annotations

from pathlib import Path

from chronicle_runtime import ServiceSettings
from pydantic import Field


class MessagingSettings(ServiceSettings):
    """What a process must know to publish and consume; mix it into a service's settings."""

    aws_endpoint_url: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL",
        description="address of a local AWS endpoint; unset = AWS itself",
    )
    region: str = Field(
        default="us-east-1",
        validation_alias="AWS_DEFAULT_REGION",
        description="AWS region of topic and queues",
    )
    prefix: str = Field(
        default="chronicle",
        validation_alias="CHRONICLE_PREFIX",
        pattern=r"^[A-Za-z0-9_-]{1,48}$",
        description="first part of the names of topic and queues; lets stacks share an account",
    )
    provision: bool | None = Field(
        default=None,
        validation_alias="CHRONICLE_PROVISION",
        description="create topic, queues and subscriptions where missing; "
        "unset = only on a local endpoint",
    )
    topology: Path | None = Field(
        default=None,
        validation_alias="CHRONICLE_TOPOLOGY",
        description="topology file; unset = infra/topology.json, looked for upwards",
    )

    @property
    def may_provision(self) -> bool:
        """Whether this process creates what is missing."""
        return self.aws_endpoint_url is not None if self.provision is None else self.provision
