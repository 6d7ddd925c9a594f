"""The topology: which topic and queues there are, as `infra/topology.json` says.

The file is plain data because Terraform reads it too; here it is only read and checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chronicle_messaging.errors import TopologyError

PLACE = Path("infra") / "topology.json"

# What a publisher puts on each message; a filter on anything else would match nothing.
MESSAGE_ATTRIBUTES = ("type", "source", "subject")


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TopicSpec(_Plain):
    """The FIFO topic; `attributes` are SNS topic attributes as they are."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    attributes: dict[str, str]


class QueueSpec(_Plain):
    """One queue; times in seconds.

    `subscribed` = it hears the topic (raw delivery), through `filter` where there is one: an SNS
    filter policy on message attributes. `attributes` are SQS queue attributes as they are.
    """

    fifo: bool = True
    subscribed: bool = True
    filter: dict[str, list[Any]] | None = None
    visibility_timeout: int = Field(ge=1, le=43_200)
    retention: int = Field(ge=60, le=1_209_600)
    attributes: dict[str, str] = {}

    @model_validator(mode="after")
    def _possible(self) -> QueueSpec:
        if self.subscribed and not self.fifo:
            raise ValueError(
                "a standard queue would hear a FIFO topic out of order; "
                "set fifo to true or subscribed to false"
            )
        if self.filter is not None:
            if not self.subscribed:
                raise ValueError("a filter needs a subscription; set subscribed to true")
            unknown = sorted(set(self.filter) - set(MESSAGE_ATTRIBUTES))
            if unknown or not all(self.filter.values()):
                raise ValueError(
                    f"a filter is a list of patterns for one or more of {MESSAGE_ATTRIBUTES}"
                    + (f", not for {unknown}" if unknown else "")
                )
        return self


class DeadLetterSpec(_Plain):
    """What all dead-letter queues share: every queue has one; times in seconds."""

    suffix: str = Field(pattern=r"^[a-z0-9-]+$")
    max_receives: int = Field(ge=1, le=1000)
    retention: int = Field(ge=60, le=1_209_600)


class Topology(_Plain):
    """Topic, queues and dead-letter queues, before a prefix makes names of them."""

    topic: TopicSpec
    queues: dict[str, QueueSpec] = Field(min_length=1)
    dead_letters: DeadLetterSpec

    def queue(self, name: str) -> QueueSpec:
        """Return a queue by its short name. Raises `TopologyError`."""
        if name not in self.queues:
            known = ", ".join(sorted(self.queues))
            raise TopologyError(f"there is no queue {name!r} in the topology; there are: {known}")
        return self.queues[name]

    def topic_name(self, prefix: str) -> str:
        """Return the topic's name in an account, e.g. `chronicle-events.fifo`."""
        return f"{prefix}-{self.topic.name}.fifo"

    def queue_name(self, prefix: str, name: str) -> str:
        """Return a queue's name in an account, e.g. `chronicle-portal.fifo`."""
        return f"{prefix}-{name}" + (".fifo" if self.queue(name).fifo else "")

    def dead_letter_name(self, prefix: str, name: str) -> str:
        """Return its dead-letter queue's name, e.g. `chronicle-portal-dlq.fifo`."""
        ending = ".fifo" if self.queue(name).fifo else ""
        return f"{prefix}-{name}{self.dead_letters.suffix}{ending}"


def find_topology(starts: tuple[Path, ...] | None = None) -> Path:
    """Return `infra/topology.json` above the working directory, or above this package.

    Raises `TopologyError` where there is none.
    """
    starts = starts or (Path.cwd(), Path(__file__).resolve().parent)
    for start in starts:
        for folder in (start, *start.parents):
            if (folder / PLACE).is_file():
                return folder / PLACE
    raise TopologyError(
        f"no {PLACE} above {' or '.join(map(str, starts))}; name the file in CHRONICLE_TOPOLOGY"
    )


def load_topology(path: Path | None = None) -> Topology:
    """Read and check the topology file. Raises `TopologyError`."""
    path = path or find_topology()
    try:
        return Topology.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TopologyError(
            f"topology {path} cannot be read ({error.strerror}); check CHRONICLE_TOPOLOGY"
        ) from error
    except ValidationError as error:
        complaints = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'file'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise TopologyError(f"topology {path} cannot be used: {complaints}") from error
