"""The envelope: CloudEvents 1.0 with the extensions of Chronicle.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationInfo,
    field_validator,
)

from chronicle_contracts.fact import Fact, fact_class

# The namespace of event ids; it must never change, or a resend would look like a new event.
EVENT_NAMESPACE = UUID("7c1d1f62-6b0f-5d0e-9f53-3a2f2f0f9c11")


def event_id(stream: str, sequence: int) -> UUID:
    """Return the id of the event at a place in a stream: the same at every resend."""
    return uuid5(EVENT_NAMESPACE, f"{stream}#{sequence}")


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone; write it as 2026-01-31T12:00:00Z")
    return moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Event(BaseModel):
    """One event: an envelope around a fact.

    `subject` is the job; `stream` and `sequence` (1, 2, 3 ... without holes) are its place in
    its publisher's history; `sealed` marks the last event that its stream will ever have.
    Attributes that this version does not know are kept.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"] = "1.0"
    id: UUID = Field(description="UUIDv5 of stream and sequence: the same at every resend")
    source: str = Field(min_length=1, description="who says it, e.g. /recorder/concert.1")
    type: str = Field(min_length=1, description="e.g. chronicle.recorder.Uploaded.v2")
    subject: str = Field(min_length=1, description="the job")
    time: Moment = Field(description="when it happened, by the publisher's clock; UTC")
    datacontenttype: Literal["application/json"] = "application/json"
    stream: str = Field(min_length=1, description="the publisher's history that it is part of")
    sequence: int = Field(ge=1, description="its place there: 1, 2, 3 ... without holes")
    correlationid: str = Field(description="the job")
    causationid: str | None = Field(default=None, description="id of the event that led to it")
    traceparent: str | None = Field(default=None, description="W3C trace context")
    sealed: bool | None = Field(default=None, description="true: the last event of its stream")
    replayid: str | None = Field(
        default=None, description="the replay that sent it again, to one consumer alone"
    )
    replayforce: bool | None = Field(
        default=None, description="true: that replay asks to do again what was done for it"
    )
    causationreplay: str | None = Field(
        default=None, description="the replay by whose force the event that led to it was heard"
    )
    data: SerializeAsAny[Fact]

    @field_validator("data", mode="before")
    @classmethod
    def _as_its_type(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Fact):
            return value
        return fact_class(info.data.get("type", "")).model_validate(value)

    @property
    def is_replayed(self) -> bool:
        """Whether a replay brings it, which asks to do nothing again."""
        return self.replayid is not None and not self.replayforce

    @property
    def forced_by(self) -> str | None:
        """The replay that asks to do again what was done for it, if one does."""
        return self.replayid if self.replayforce else None

    @classmethod
    def of(
        cls,
        fact: Fact,
        *,
        source: str,
        job_id: str,
        stream: str,
        sequence: int,
        time: datetime,
        cause: Event | None = None,
        sealed: bool = False,
    ) -> Event:
        """Wrap a fact; `cause` is the event that led to it, if there was one."""
        return cls(
            id=event_id(stream, sequence),
            source=source,
            type=fact.TYPE,
            subject=job_id,
            time=time,
            stream=stream,
            sequence=sequence,
            correlationid=job_id,
            causationid=str(cause.id) if cause else None,
            traceparent=cause.traceparent if cause else None,
            sealed=True if sealed else None,
            causationreplay=cause.forced_by if cause else None,
            data=fact,
        )
