"""A trial: recorders of one live stream, all at once, and a fault that strikes in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.faults import loss
from tests.faults.encoder import Encoder, Pacing
from tests.faults.fault import Fault
from tests.faults.loss import Loss
from tests.faults.origin import Origin
from tests.faults.source import Life


class Recorder(Protocol):
    """Whoever takes part in a trial."""

    def launch(self, url: str) -> None:
        """Begin to record."""

    def has_begun(self) -> bool:
        """Whether it has kept media."""

    def wait(self, timeout: float) -> int | None:
        """Wait for it to end; None if it did not and had to be stopped."""

    @property
    def recording(self) -> Path:
        """What it made."""

    def said_lost(self) -> float | None:
        """Seconds that it owns to have lost; None if it has no way to say so."""


@dataclass(frozen=True)
class Script:
    """The order of events in seconds: `before` the fault, `after` it, patience at the end."""

    pacing: Pacing
    before: float
    after: float
    patience: float = 150.0
    start_within: float = 180.0


@dataclass(frozen=True)
class Outcome:
    """How one recorder fared."""

    exit_code: int | None
    loss: Loss
    unavoidable: float  # seconds of media that nobody could have
    said: float | None
    is_playable: bool

    @property
    def avoidable(self) -> float:
        """Seconds lost that were there to be had."""
        return max(0.0, self.loss.lost - self.unavoidable)


def run(
    fault: Fault, lives: Mapping[str, Life], script: Script, recorders: Sequence[Recorder]
) -> list[Outcome]:
    """Let the fault strike while the recorders record; return how each of them fared."""
    encoder = Encoder(lives, script.pacing)
    origin = Origin(encoder)
    encoder.start()
    try:
        for recorder in recorders:
            recorder.launch(origin.url)
        _wait(lambda: all(one.has_begun() for one in recorders), script.start_within)
        time.sleep(script.before)
        fault.strike(origin)
        time.sleep(fault.length)
        fault.relent(origin)
        time.sleep(script.after)
        if not fault.is_deadly:
            encoder.end()
        over = time.monotonic() + script.patience
        codes = [one.wait(max(1.0, over - time.monotonic())) for one in recorders]
    finally:
        origin.close()
    return [
        _outcome(fault, origin, recorder, code)
        for recorder, code in zip(recorders, codes, strict=True)
    ]


def _outcome(fault: Fault, origin: Origin, recorder: Recorder, code: int | None) -> Outcome:
    there = loss.count(recorder.recording, origin.encoder.published)
    return Outcome(
        exit_code=code,
        loss=there,
        unavoidable=sum(entry.life.segment for entry in fault.unavoidable(origin)),
        said=recorder.said_lost(),
        is_playable=loss.is_playable(recorder.recording),
    )


def _wait(condition: Callable[[], bool], within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not every recorder had begun within {within:g} s")
        time.sleep(0.1)
