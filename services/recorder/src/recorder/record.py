"""The flow of one recording, top to bottom: look, capture, end, deliver, say so.

What is said (facts) is decided by `domain`; where media comes from by `seeking`; how it is
done by the adapters behind `ports`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import structlog
from chronicle_contracts.recorder import Gap, MediaInfo, Phase, RecordingEnded

from recorder.domain import gaps
from recorder.domain.delivery import Delivery
from recorder.domain.ending import Ending, Failure, Outcome
from recorder.domain.hindrance import SILENCE, Hindrance
from recorder.domain.progress import Progress
from recorder.domain.testimony import Patience
from recorder.domain.watch import Resumption, Stall, Watch
from recorder.ports import (
    Capture,
    Clock,
    Control,
    Journal,
    LogTail,
    NothingSaved,
    Shelf,
    Sighting,
    Site,
    StoreTrouble,
)
from recorder.seeking import Seeking

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.25  # seconds
LONGEST_PAUSE = 30.0  # seconds between two tries to deliver


@dataclass(frozen=True)
class Order:
    """What to record and with how much patience, in seconds."""

    key: str
    start_timeout: float = 60.0
    idle_timeout: float = 180.0
    offline_timeout: float = 60.0
    deliver_timeout: float = 3600.0
    heartbeat: float = 5.0
    min_free_disk: int = 0  # bytes


class Recording:
    """One run of a recorder; `run` returns when the recording is delivered or given up."""

    def __init__(
        self,
        order: Order,
        *,
        site: Site,
        capture: Capture,
        shelf: Shelf,
        journal: Journal,
        control: Control,
        clock: Clock,
        log_tail: LogTail,
        executor: Executor,
    ) -> None:
        self._order = order
        self._site = site
        self._capture = capture
        self._shelf = shelf
        self._journal = journal
        self._control = control
        self._clock = clock
        self._log_tail = log_tail
        self._executor = executor  # for what takes seconds, while heartbeats go on
        self._run = journal.run()
        self._earlier = journal.earlier()
        self._began = clock.seconds()
        self._watch = Watch(self._began)
        self._beat_at = self._began + order.heartbeat
        # Numbers are of the recording: an attempt goes on counting where the last one stood.
        self._media_before = max((run.media_seconds for run in self._earlier), default=0.0)
        self._media_before = max(self._media_before, self._run.media_seconds)
        self._bytes_before = shelf.saved_bytes
        self._progress = Progress(media_seconds=self._media_before, free_disk=shelf.free_disk)

    def run(self) -> Outcome:
        """Record, end, deliver; everything that happens is in the journal when it returns."""
        runs = [*self._earlier, self._run]
        if any(run.uploaded for run in runs):
            log.info("already_delivered")
            return Outcome.DELIVERED
        if any(run.ended and run.ended.why == "discarded" for run in runs):
            return Outcome.DISCARDED
        if self._run.is_over:
            return Outcome.FAILED
        ended = next((run.ended for run in reversed(runs) if run.ended and not run.failed), None)
        if ended is None:
            verdict = self._record()
            if isinstance(verdict, Failure):
                return self._fail(verdict.code, verdict.detail)
            if self._end(verdict) == "discarded":
                return Outcome.DISCARDED
        else:
            # An earlier attempt had ended the capture and died while it delivered.
            self._end_as(ended)
        return self._deliver()

    # Capturing

    def _record(self) -> Ending | Failure:
        seeking = Seeking(
            self._site,
            self._capture,
            executor=self._executor,
            has_media=lambda: self._bytes_before > 0 or self._run.started,
            start_timeout=self._order.start_timeout,
            patience=Patience(
                absent=min(self._order.offline_timeout, self._order.idle_timeout),
                idle=self._order.idle_timeout,
            ),
            began=self._began,
        )
        self._beat("STARTED")
        try:
            while True:
                verdict = self._asked_to_end()
                if verdict is not None:
                    return verdict
                sighting = self._look(seeking.hindrance)
                now = self._clock.seconds()
                verdict_of_source = seeking.judge(
                    sighting, now=now, idle=self._watch.idle(now), moved=self._run.started
                )
                if verdict_of_source is not None:
                    return verdict_of_source
                self._control.wait(LOOK_EVERY)
        finally:
            self._capture.close()

    def _asked_to_end(self) -> Ending | Failure | None:
        wish = self._control.wish()
        if wish.stop == "keep":
            return Ending("stopped")
        if wish.stop == "discard":
            return Ending("discarded")
        if wish.stop == "terminated":
            return Ending("terminated", "The recorder was told to go.")
        free = self._progress.free_disk
        if free is not None and free < self._order.min_free_disk:
            detail = f"The disk has {free} bytes left, less than {self._order.min_free_disk}."
            has_media = self._bytes_before > 0 or self._run.started
            return Ending("failed", detail) if has_media else Failure("disk_full", detail)
        if wish.max_duration and self._progress.media_seconds >= wish.max_duration:
            return Ending("max_duration", f"{wish.max_duration:g} s of media are recorded.")
        return None

    def _look(self, hindrance: Callable[[Sighting], Hindrance]) -> Sighting:
        """See how far the capture is and say what follows from that."""
        sighting = self._capture.look()
        now, at = self._clock.seconds(), self._clock.now()
        self._progress = Progress(
            wall_seconds=now - self._began,
            media_seconds=self._media_before + sighting.media_seconds,
            bytes_recorded=self._bytes_before + sighting.bytes_recorded,
            bytes_durable=self._shelf.bytes_durable,
            free_disk=self._shelf.free_disk,
            restarts=sighting.restarts,
            media=sighting.media or MediaInfo(),
        )
        if sighting.media is not None and sighting.media_seconds > 0 and not self._run.started:
            self._start(sighting)
        change = self._watch.see(now, sighting.media_seconds, patience=sighting.patience)
        if isinstance(change, Stall):
            self._run.interrupt(hindrance(sighting), self._progress, at=at)
        elif isinstance(change, Resumption):
            self._resume(change, sighting)
        for loss in sighting.losses:
            self._run.lose(gaps.of_loss(loss, self._progress.media_seconds, at), at=at)
        self._beat_if_due("RECORDING" if self._run.started else "STARTED")
        self._journal.save(self._run)
        return sighting

    def _start(self, sighting: Sighting) -> None:
        at = self._clock.now()
        stream = sighting.stream
        assert stream is not None, "media came from somewhere"
        self._run.start(self._order.key, stream, self._progress, at=at)
        spoken = self._journal.last_word()
        if spoken is not None and self._bytes_before > 0 and not sighting.continues:
            gap = gaps.between(
                "recorder restarted",
                wall_seconds=(at - spoken).total_seconds(),
                media_gained=sighting.media_seconds,
                media_seconds=self._progress.media_seconds,
                at=spoken,
            )
            if gap is not None:
                self._run.lose(gap, at=at)
        self._beat("RECORDING")

    def _resume(self, change: Resumption, sighting: Sighting) -> None:
        at = self._clock.now()
        self._run.resume(change.seconds, self._progress, at=at)
        if sighting.stream is None or sighting.stream.protocol == "hls":
            return  # segment numbers tell exactly what is missing
        gap = gaps.between(
            "interrupted",
            wall_seconds=change.seconds,
            media_gained=change.gained,
            media_seconds=self._progress.media_seconds,
            at=at,
        )
        if gap is not None:
            self._run.lose(gap, at=at)

    def _beat_if_due(self, phase: Phase) -> None:
        if self._clock.seconds() >= self._beat_at:
            self._beat(phase)

    def _beat(self, phase: Phase) -> None:
        self._beat_at = self._clock.seconds() + self._order.heartbeat
        self._run.beat(phase, self._progress, at=self._clock.now())

    # Ending

    def _end(self, ending: Ending) -> str:
        self._look(lambda _: SILENCE)  # closing the capture brought its last seconds
        log.info("recording_ended", why=ending.why, detail=ending.detail)
        self._run.end(ending.why, ending.detail, self._progress.media_seconds, self._clock.now())
        self._journal.save(self._run)
        return ending.why

    def _end_as(self, ended: RecordingEnded) -> None:
        self._run.end(ended.why, ended.detail, ended.media_seconds, self._clock.now())
        self._journal.save(self._run)

    def _fail(self, code: str, detail: str) -> Outcome:
        log.error("recording_failed", code=code, detail=detail)
        self._run.fail(code, detail, self._log_tail.text(), at=self._clock.now())
        self._journal.save(self._run)
        return Outcome.FAILED

    # Delivering

    def _deliver(self) -> Outcome:
        self._progress = replace(self._progress, bytes_durable=self._shelf.bytes_durable)
        self._beat("UPLOADING")
        self._journal.save(self._run)
        try:
            delivery = self._delivery()
        except NothingSaved as error:
            return self._fail("nothing_recorded", str(error))
        except StoreTrouble as error:
            log.warning("undelivered", reason=str(error))
            return Outcome.UNDELIVERED
        at = self._clock.now()
        unsaved = gaps.unsaved(self._progress.media_seconds, delivery.duration, at)
        if unsaved is not None:
            self._run.lose(unsaved, at=at)
        for hole in delivery.losses:
            self._run.lose(gaps.of_hole(hole, at), at=at)
        self._run.deliver(delivery, self._gaps(), at=at)
        self._journal.save(self._run)
        log.info("recording_delivered", key=delivery.key, size=delivery.size)
        self._shelf.leave_journal(self._journal.lines())
        return Outcome.DELIVERED

    def _delivery(self) -> Delivery:
        """Deliver in the background, so that heartbeats go on; try again while the store fails."""
        pause, deadline = 1.0, self._clock.seconds() + self._order.deliver_timeout
        while True:
            work = self._executor.submit(self._shelf.deliver)
            while not work.done():
                self._beat_if_due("UPLOADING")
                self._journal.save(self._run)
                self._control.wait(LOOK_EVERY / 5)
            try:
                return work.result()
            except StoreTrouble as trouble:
                if self._clock.seconds() + pause > deadline:
                    raise
                log.warning("delivery_failed", reason=str(trouble), next_try=pause)
            self._control.wait(pause)
            self._beat_if_due("UPLOADING")
            pause = min(LONGEST_PAUSE, pause * 2)

    def _gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for run in [*self._earlier, self._run] for gap in run.gaps)
