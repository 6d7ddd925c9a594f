"""The steps that the dispatcher can take for a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chronicle_contracts import Event


@dataclass(frozen=True)
class Wait:
    """Nothing to do now."""


@dataclass(frozen=True)
class Check:
    """Look at the URL and say what becomes of the job."""

    cause: Event


@dataclass(frozen=True)
class Start:
    """Launch an attempt, if there is a place.

    `catch_up`: since when media is missed; with `deliver_only` nothing more is recorded.
    """

    attempt: int
    cause: Event
    catch_up: datetime | None = None
    deliver_only: bool = False


@dataclass(frozen=True)
class Abandon:
    """Say that nothing more is tried; with `clean`, nothing is kept either."""

    code: str
    detail: str
    cause: Event
    clean: bool = False


@dataclass(frozen=True)
class Lose:
    """End what is left of the run and say that it is lost."""

    reason: Literal["exited", "silent"]
    detail: str


@dataclass(frozen=True)
class Kill:
    """End a process that has said its last word and does not go."""


@dataclass(frozen=True)
class Close:
    """The recording is delivered or thrown away, its process gone: nothing is left to do.

    `for_good` where nobody can ask for another try: what the job was given is not needed again.
    """

    for_good: bool


Step = Wait | Check | Start | Abandon | Lose | Kill | Close
