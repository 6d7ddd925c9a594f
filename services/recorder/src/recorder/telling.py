"""What a run says: facts as they happen, heartbeats in their rhythm."""

from __future__ import annotations

import structlog
from chronicle_contracts.recorder import Gap, Phase

from recorder.domain.ending import Outcome
from recorder.domain.progress import Progress
from recorder.domain.run import Run
from recorder.ports import Clock, Journal, LogTail

log = structlog.get_logger(__name__)


class Telling:
    """The run, how far it is, and its journal."""

    def __init__(
        self, journal: Journal, clock: Clock, log_tail: LogTail, *, heartbeat: float
    ) -> None:
        self._journal = journal
        self._log_tail = log_tail
        self._clock = clock
        self._heartbeat = heartbeat
        self._beat_at = clock.seconds() + heartbeat
        self.run: Run = journal.run()
        self.earlier = journal.earlier()
        self.progress = Progress()

    @property
    def runs(self) -> list[Run]:
        """All runs of the job so far, this one last."""
        return [*self.earlier, self.run]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is missing, as all attempts said it."""
        return tuple(gap for run in self.runs for gap in run.gaps)

    def beat(self, phase: Phase) -> None:
        """Say now how far the run is."""
        self._beat_at = self._clock.seconds() + self._heartbeat
        self.run.beat(phase, self.progress, at=self._clock.now())

    @property
    def due_in(self) -> float:
        """Seconds until the next heartbeat; negative when it is late."""
        return self._beat_at - self._clock.seconds()

    def beat_if_due(self, phase: Phase) -> None:
        """Say it when it is time."""
        if self.due_in <= 0:
            self.beat(phase)

    def lose(self, gap: Gap | None) -> None:
        """Say what is missing, if anything is."""
        if gap is not None:
            self.run.lose(gap, at=self._clock.now())

    def save(self) -> None:
        """Make durable what was said; it is published in the background."""
        self._journal.save(self.run)

    def fail(self, code: str, detail: str) -> Outcome:
        """Say that there is no recording, and why: the last word."""
        log.error("recording_failed", code=code, detail=detail)
        self.run.fail(code, detail, self._log_tail.text(), at=self._clock.now())
        self.save()
        return Outcome.FAILED
