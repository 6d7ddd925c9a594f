"""The run: one attempt at one recording, from its first byte to its last word."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatchmethod

from chronicle_contracts import Event, Fact
from chronicle_contracts.naming import recorder_stream
from chronicle_contracts.recorder import (
    LOG_TAIL_BYTES,
    CaptureInterrupted,
    CaptureResumed,
    Completeness,
    EndReason,
    Gap,
    GapFound,
    Heartbeat,
    Phase,
    RecordingEnded,
    RecordingFailed,
    RecordingStarted,
    Uploaded,
)
from chronicle_eventstore import Aggregate

from recorder.domain.delivery import Delivery
from recorder.domain.hindrance import Hindrance
from recorder.domain.progress import Progress
from recorder.domain.stream import Stream


class RunIsOver(Exception):
    """The run has said its last word; nothing can be added to it."""


class Run(Aggregate):
    """Stream `recorder/<run>`. Every method records what follows from it, once."""

    started: bool
    started_at: datetime | None
    start_delay: float | None
    interrupted_at: datetime | None
    ended: RecordingEnded | None
    uploaded: Uploaded | None
    failed: RecordingFailed | None
    gaps: tuple[Gap, ...]
    media_seconds: float

    def begin(self) -> None:
        """Nothing is recorded yet."""
        self.started = False
        self.started_at = None
        self.start_delay = None
        self.interrupted_at = None
        self.ended = None
        self.uploaded = None
        self.failed = None
        self.gaps = ()
        self.media_seconds = 0.0

    @property
    def run_id(self) -> str:
        """The name of the run: the rest of its stream."""
        return self.id.removeprefix(recorder_stream(""))

    @property
    def attempt(self) -> int:
        """The number of the attempt: the last part of the run's name."""
        return int(self.run_id.rpartition(".")[2])

    @property
    def source(self) -> str:
        """`/recorder/<run>`."""
        return f"/{self.id}"

    @property
    def is_over(self) -> bool:
        """True after the sealed event."""
        discarded = self.ended is not None and self.ended.why == "discarded"
        return discarded or self.uploaded is not None or self.failed is not None

    def start(
        self,
        key: str,
        stream: Stream,
        progress: Progress,
        *,
        programme_time: datetime | None = None,
        at: datetime,
    ) -> None:
        """The first media was kept; said once, however often the source begins anew."""
        if self.started:
            return
        self._say(
            RecordingStarted(
                run_id=self.run_id,
                attempt=self.attempt,
                key=key,
                protocol=stream.protocol,
                format=stream.format_id,
                title=stream.title,
                media=progress.media,
                start_gap=round(progress.wall_seconds, 3),
                programme_time=programme_time,
            ),
            at,
        )

    def beat(self, phase: Phase, progress: Progress, *, at: datetime) -> None:
        """Say how far the run is."""
        self._say(
            Heartbeat(
                run_id=self.run_id,
                attempt=self.attempt,
                phase=phase,
                bytes_recorded=progress.bytes_recorded,
                bytes_durable=progress.bytes_durable,
                media_seconds=round(progress.media_seconds, 3),
                bitrate=progress.bitrate,
                free_disk=progress.free_disk,
                restarts=progress.restarts,
            ),
            at,
        )

    def interrupt(self, hindrance: Hindrance, progress: Progress, *, at: datetime) -> None:
        """Media stopped coming; said once until it comes again."""
        if self.interrupted_at is not None or not self.started:
            return
        self._say(
            CaptureInterrupted(
                run_id=self.run_id,
                attempt=self.attempt,
                cause=hindrance.kind,
                detail=hindrance.detail,
                media_seconds=round(progress.media_seconds, 3),
            ),
            at,
        )
        self.interrupted_at = at

    def resume(self, after: float, progress: Progress, *, at: datetime) -> None:
        """Media comes again, after so many seconds without."""
        if self.interrupted_at is None:
            return
        self._say(
            CaptureResumed(
                run_id=self.run_id,
                attempt=self.attempt,
                after=round(after, 3),
                media_seconds=round(progress.media_seconds, 3),
            ),
            at,
        )

    def lose(self, gap: Gap, *, at: datetime) -> None:
        """Media is missing."""
        self._say(GapFound(run_id=self.run_id, attempt=self.attempt, gap=gap), at)

    def end(self, why: EndReason, detail: str | None, media_seconds: float, at: datetime) -> None:
        """Nothing more is recorded; a discarded run ends here."""
        if self.ended is None:
            self._end(why, detail, media_seconds, at)

    def _end(self, why: EndReason, detail: str | None, media_seconds: float, at: datetime) -> None:
        self._say(
            RecordingEnded(
                run_id=self.run_id,
                attempt=self.attempt,
                why=why,
                detail=detail,
                media_seconds=round(media_seconds, 3),
            ),
            at,
            sealed=why == "discarded",
        )

    def discard(self, detail: str, media_seconds: float, *, at: datetime) -> None:
        """What was recorded is thrown away after all: the last word, also after an end."""
        self._end("discarded", detail, media_seconds, at)

    def deliver(
        self,
        delivery: Delivery,
        gaps: tuple[Gap, ...],
        completeness: Completeness,
        *,
        manifest_key: str | None = None,
        at: datetime,
    ) -> None:
        """The recording is in the store, as whole as is said: the last word."""
        self._say(
            Uploaded(
                run_id=self.run_id,
                attempt=self.attempt,
                key=delivery.key,
                size=delivery.size,
                checksum=delivery.checksum,
                etag=delivery.etag,
                duration=delivery.duration,
                media=delivery.media,
                gaps=gaps,
                completeness=completeness,
                manifest_key=manifest_key,
            ),
            at,
            sealed=True,
        )

    def fail(self, code: str, detail: str, log_tail: str, *, at: datetime) -> None:
        """There is no recording: the last word."""
        tail = log_tail.encode()[-LOG_TAIL_BYTES:].decode(errors="ignore")
        self._say(
            RecordingFailed(
                run_id=self.run_id, attempt=self.attempt, code=code, detail=detail, log_tail=tail
            ),
            at,
            sealed=True,
        )

    def _say(self, fact: Fact, at: datetime, *, sealed: bool = False) -> None:
        if self.is_over:
            raise RunIsOver(f"{self.id}: {fact.TYPE} after the run's last word")
        self.record(fact, at=at, sealed=sealed)

    def evolve(self, event: Event) -> None:
        """Note when media came first; the rest is in the facts."""
        super().evolve(event)
        if isinstance(event.data, RecordingStarted):
            self.started_at = event.time

    @singledispatchmethod
    def apply(self, fact: Fact) -> None:
        """Facts that change nothing here."""

    @apply.register
    def _(self, fact: RecordingStarted) -> None:
        self.started = True
        self.start_delay = fact.start_gap

    @apply.register
    def _(self, fact: Heartbeat) -> None:
        self.media_seconds = fact.media_seconds

    @apply.register
    def _(self, _: CaptureResumed) -> None:
        self.interrupted_at = None

    @apply.register
    def _(self, fact: GapFound) -> None:
        self.gaps = (*self.gaps, fact.gap)

    @apply.register
    def _(self, fact: RecordingEnded) -> None:
        self.ended = fact
        self.media_seconds = fact.media_seconds

    @apply.register
    def _(self, fact: Uploaded) -> None:
        self.uploaded = fact

    @apply.register
    def _(self, fact: RecordingFailed) -> None:
        self.failed = fact
