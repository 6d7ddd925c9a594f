"""What is stated about a delivered recording: all that its manifest holds but segments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts.recorder import Completeness, EndReason, Gap

from recorder.domain.delivery import Delivery


@dataclass(frozen=True)
class Attempt:
    """One run; `why` is None where it died without a word.

    `media_seconds` is what the recording had when it ended, of all attempts up to this one.
    """

    run: str
    attempt: int
    started_at: datetime | None
    ended_at: datetime
    why: EndReason | None
    media_seconds: float


@dataclass(frozen=True)
class Statement:
    """One delivery of one job."""

    job: str
    delivery: Delivery
    gaps: tuple[Gap, ...]
    completeness: Completeness
    attempts: tuple[Attempt, ...]
    why: EndReason
    detail: str | None
    ended_at: datetime

    @property
    def started_at(self) -> datetime | None:
        """When the first media was kept."""
        return min((one.started_at for one in self.attempts if one.started_at), default=None)
