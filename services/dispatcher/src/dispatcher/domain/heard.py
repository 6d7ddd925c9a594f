"""What was heard from a run: its newest word, in a form that the order of arrival cannot harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts import UPCASTERS, Event
from chronicle_contracts.recorder import (
    CaptureInterrupted,
    CaptureResumed,
    Heartbeat,
    RecordingEnded,
    RecordingFailed,
    RecordingStarted,
    RunFact,
    Uploaded,
)


@dataclass(frozen=True)
class Word:
    """What one event of a run says about it; None: the event says nothing about that."""

    run_id: str
    job_id: str
    sequence: int
    phase: str | None = None
    media_seconds: float | None = None
    bytes_durable: int | None = None
    interrupted: bool | None = None
    sealed: bool = False
    final_type: str | None = None
    code: str | None = None
    detail: str | None = None

    @classmethod
    def of(cls, event: Event) -> Word | None:
        """Read an event of a run; None where it is none."""
        fact = UPCASTERS.lift(event).data
        if not isinstance(fact, RunFact):
            return None
        word = {
            "run_id": fact.run_id,
            "job_id": event.subject,
            "sequence": event.sequence,
            **_said(fact),
        }
        if event.sealed:
            word |= {"sealed": True, "final_type": type(fact).__name__}
        return cls(**word)  # type: ignore[arg-type]


def _said(fact: RunFact) -> dict[str, object]:
    said: dict[str, object] = {}
    match fact:
        case RecordingStarted() | CaptureResumed():
            said = {"phase": "RECORDING", "interrupted": False}
        case Heartbeat():
            said = {
                "phase": fact.phase,
                "media_seconds": fact.media_seconds,
                "bytes_durable": fact.bytes_durable,
            }
        case CaptureInterrupted():
            said = {"interrupted": True, "media_seconds": fact.media_seconds}
        case RecordingEnded():
            said = {"phase": "UPLOADING", "interrupted": False, "code": fact.why}
        case Uploaded():
            said = {"phase": "UPLOADING"}
        case RecordingFailed():
            said = {"code": fact.code, "detail": fact.detail}
    return said


@dataclass(frozen=True)
class Run:
    """All that was heard from a run.

    `moved_at`: when its media time or its phase last went on, while it uploads its durable bytes;
    `heard_at`: when anything was last heard (both by the dispatcher's clock).
    `interrupted`: it said itself that no media comes, and goes on trying. `media_first` is the
    media time that it began with: attempts go on counting where the last one stood.
    """

    run_id: str
    job_id: str
    sequence: int
    phase: str | None
    media_seconds: float
    bytes_durable: int
    interrupted: bool
    moved_at: datetime
    heard_at: datetime
    sealed: bool
    final_type: str | None
    code: str | None
    detail: str | None
    media_first: float | None = None

    @property
    def gained(self) -> float:
        """Seconds of media that this run added to the recording."""
        first = self.media_seconds if self.media_first is None else self.media_first
        return self.media_seconds - first

    @property
    def delivered(self) -> bool:
        """True where the recording is whole in the store."""
        return self.sealed and self.final_type == Uploaded.__name__

    @property
    def discarded(self) -> bool:
        """True where the recording was thrown away, as somebody asked."""
        return self.sealed and self.final_type == RecordingEnded.__name__

    @property
    def failed(self) -> bool:
        """True where the run ended without a recording."""
        return self.sealed and self.final_type == RecordingFailed.__name__
