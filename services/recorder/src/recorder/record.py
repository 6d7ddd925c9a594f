"""The flow of one recording, top to bottom: look, capture, end, deliver, say so.

What is said (facts) is decided by `domain`; where media comes from by `seeking`; how it becomes
one recording by `delivering`; how it is done by the adapters behind `ports`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from chronicle_contracts.recorder import Gap, MediaInfo, RecordingEnded

from recorder.delivering import Delivering, Desk
from recorder.domain import gaps
from recorder.domain.ending import Ending, Failure, Outcome
from recorder.domain.hindrance import SILENCE, Hindrance
from recorder.domain.progress import Progress
from recorder.domain.room import Room
from recorder.domain.segment import Missed
from recorder.domain.testimony import Patience
from recorder.domain.timeline import Timeline
from recorder.domain.watch import Resumption, Stall, Watch
from recorder.ports import Capture, LogTail, Sighting, Site
from recorder.seeking import Seeking
from recorder.telling import Telling

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.25  # seconds, while it matters when something happens
# Seconds, while a source flows that numbers its segments: it tells its losses itself, and the end
# of a fetch ends the wait. Each look takes processor time, and of recordings there are many.
LOOK_AT_LEAST_EVERY = 2.0

# After these the source may have gone on where we could not follow.
_ON_OUR_SIDE = frozenset({"stalled", "blocked", "needs_login"})
# After these it is known to have made nothing more.
_OVER = frozenset({"ended", "offline", "frozen", "gone"})
# Gaps of this run that speak of the time before it.
_BEFORE = frozenset({"recorder restarted", "not saved"})


class TakenOver(Exception):
    """A later attempt goes on with this recording."""


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
    deliver_only: bool = False
    media_before: float | None = None  # seconds that earlier attempts left; None: by their word


class Recording:
    """One run of a recorder; `run` returns when the recording is delivered or given up."""

    def __init__(
        self, order: Order, desk: Desk, *, site: Site, capture: Capture, log_tail: LogTail
    ) -> None:
        self._order = order
        self._desk = desk
        self._site = site
        self._capture = capture
        self._shelf = desk.shelf
        self._clock = desk.clock
        self._telling = Telling(desk.journal, desk.clock, log_tail, heartbeat=order.heartbeat)
        self._run = self._telling.run
        self._began = desk.clock.seconds()
        self._watch = Watch(self._began)
        self._timeline = Timeline()
        self._room = Room(order.min_free_disk)
        self._hindrance = SILENCE
        self._patience = 0.0
        self._is_numbered = self._continues = False
        # Numbers are of the recording: an attempt goes on counting where the last one stood.
        self._media_said = said = max(run.media_seconds for run in self._telling.runs)
        self._media_before = said if order.media_before is None else order.media_before
        self._bytes_before = desk.shelf.saved_bytes
        self._telling.progress = Progress(
            media_seconds=self._media_before, free_disk=desk.shelf.free_disk
        )

    @property
    def _has_media(self) -> bool:
        return self._bytes_before > 0 or self._run.started

    def run(self) -> Outcome:
        """Record, end, deliver; everything that happens is in the journal when it returns."""
        runs = self._telling.runs
        outcome = self._outcome_before()
        if outcome is not None:
            return outcome
        ended = next((run.ended for run in reversed(runs) if run.ended and not run.failed), None)
        if ended is not None:
            # An earlier attempt had ended the capture and died while it delivered.
            self._end_as(ended)
        elif self._order.deliver_only:
            self._give_up()
        else:
            try:
                verdict = self._record()
            except TakenOver:
                log.warning("superseded", key=self._order.key)
                return Outcome.SUPERSEDED
            if isinstance(verdict, Failure):
                return self._telling.fail(verdict.code, verdict.detail)
            if self._end(verdict) == "discarded":
                return Outcome.DISCARDED
        delivering = Delivering(self._desk, self._telling, within=self._order.deliver_timeout)
        return delivering.run(self._wall_seconds())

    def _outcome_before(self) -> Outcome | None:
        """Return what became of the recording before this process began."""
        runs = self._telling.runs
        if any(run.uploaded for run in runs):
            log.info("already_delivered")
            return Outcome.DELIVERED
        if any(run.ended and run.ended.why == "discarded" for run in runs):
            return Outcome.DISCARDED
        return Outcome.FAILED if self._run.is_over else None

    # Capturing

    def _record(self) -> Ending | Failure:
        self._seeking = seeking = Seeking(
            self._site,
            self._capture,
            executor=self._desk.executor,
            has_media=lambda: self._has_media,
            start_timeout=self._order.start_timeout,
            patience=Patience(
                absent=min(self._order.offline_timeout, self._order.idle_timeout),
                idle=self._order.idle_timeout,
            ),
            began=self._began,
        )
        self._telling.beat("STARTED")
        try:
            while True:
                verdict = self._asked_to_end()
                if verdict is not None:
                    return verdict
                sighting = self._look(self._hindered)
                if self._shelf.is_superseded:
                    raise TakenOver
                now = self._clock.seconds()
                if self._room.see(self._telling.progress.free_disk):
                    self._pause_or_go_on(now)
                if self._room.is_short:
                    verdict = self._without_room(now)
                else:
                    verdict = seeking.judge(
                        sighting, now=now, idle=self._watch.idle(now), moved=self._run.started
                    )
                if verdict is not None:
                    return verdict
                self._desk.control.wait(self._pause(sighting))
        finally:
            self._capture.close()

    def _pause(self, sighting: Sighting) -> float:
        """Return how long nothing is looked at, if there is no news."""
        is_fetched = self._run.started and sighting.is_numbered and sighting.end is None
        if not is_fetched or self._watch.is_still or self._room.is_short:
            return LOOK_EVERY
        longest = self._desk.control.wish().max_duration or math.inf
        rest = longest - self._telling.progress.media_seconds
        return max(LOOK_EVERY, min(LOOK_AT_LEAST_EVERY, self._telling.due_in, rest))

    def _asked_to_end(self) -> Ending | Failure | None:
        wish = self._desk.control.wish()
        if wish.stop == "keep":
            return Ending("stopped")
        if wish.stop == "discard":
            return Ending("discarded")
        if wish.stop == "terminated":
            return Ending("terminated", "The recorder was told to go.")
        if wish.max_duration and self._telling.progress.media_seconds >= wish.max_duration:
            return Ending("max_duration", f"{wish.max_duration:g} s of media are recorded.")
        return None

    def _pause_or_go_on(self, now: float) -> None:
        """Fetch nothing while the disk is full; go on with what the source has by then."""
        if self._room.is_short:
            log.warning("disk_full", detail=self._room.detail)
            self._capture.pause()
        else:
            log.info("disk_has_room")
            self._seeking.begin_anew(now)

    def _without_room(self, now: float) -> Ending | Failure | None:
        self._hindrance = Hindrance("disk_full", self._room.detail)
        if not self._has_media:
            return Failure("disk_full", self._room.detail)
        if self._watch.idle(now) > self._order.idle_timeout:
            return Ending("failed", self._room.detail)
        return None

    def _hindered(self, sighting: Sighting) -> Hindrance:
        """Return what keeps media from coming: we do, or the source."""
        return self._hindrance if self._room.is_short else self._seeking.hindrance(sighting)

    def _look(self, hindrance: Callable[[Sighting], Hindrance]) -> Sighting:
        """See how far the capture is and say what follows from that."""
        sighting = self._capture.look()
        now, at = self._clock.seconds(), self._clock.now()
        telling = self._telling
        telling.progress = Progress(
            wall_seconds=now - self._began,
            media_seconds=self._media_before + sighting.media_seconds,
            bytes_recorded=self._bytes_before + sighting.bytes_recorded,
            bytes_durable=self._shelf.bytes_durable,
            free_disk=self._shelf.free_disk,
            restarts=sighting.restarts,
            media=sighting.media or MediaInfo(),
        )
        self._timeline.see(now, sighting.media_seconds)
        self._patience = max(self._patience, sighting.patience)
        if sighting.continues and not self._continues:
            self._desk.accounts.go_on(self._run.attempt)
        self._is_numbered, self._continues = sighting.is_numbered, sighting.continues
        if sighting.media is not None and sighting.media_seconds > 0 and not self._run.started:
            self._start(sighting)
        change = self._watch.see(
            now, sighting.media_seconds, sighting.bytes_recorded, patience=sighting.patience
        )
        self._hindrance = hindrance(sighting)
        if isinstance(change, Stall):
            self._run.interrupt(self._hindrance, telling.progress, at=at)
        elif isinstance(change, Resumption):
            self._resume(change, sighting)
        for loss in sighting.losses:
            lost_at = loss.at or at
            telling.lose(gaps.of_loss(loss, telling.progress.media_seconds, lost_at))
            self._desk.accounts.miss(Missed(loss.cause, loss.seconds, loss.segments, lost_at))
        telling.beat_if_due("RECORDING" if self._run.started else "STARTED")
        telling.save()
        return sighting

    def _start(self, sighting: Sighting) -> None:
        at = self._clock.now()
        stream = sighting.stream
        assert stream is not None, "media came from somewhere"
        telling = self._telling
        self._run.start(
            self._order.key,
            stream,
            telling.progress,
            programme_time=self._desk.accounts.programme_time,
            at=at,
        )
        spoken = self._desk.journal.last_word()
        if spoken is not None and self._bytes_before > 0 and not sighting.continues:
            telling.lose(self._fallen_with(spoken))
            telling.lose(
                gaps.between(
                    "recorder restarted",
                    wall_seconds=(at - spoken).total_seconds(),
                    media_gained=sighting.media_seconds,
                    media_seconds=telling.progress.media_seconds,
                    at=spoken,
                )
            )
        telling.beat("RECORDING")

    def _resume(self, change: Resumption, sighting: Sighting) -> None:
        at, progress = self._clock.now(), self._telling.progress
        self._run.resume(change.seconds, progress, at=at)
        if sighting.is_numbered:
            # Its numbers tell exactly what is missing; the rest of the silence was its own.
            self._timeline.excuse(change.seconds - change.gained)
            return
        gap = gaps.between(
            "interrupted",
            wall_seconds=change.seconds,
            media_gained=change.gained,
            media_seconds=progress.media_seconds,
            at=at,
        )
        self._telling.lose(gap)

    # Ending

    def _end(self, ending: Ending) -> str:
        self._look(lambda _: self._hindrance)  # closing the capture brought its last seconds
        if ending.why != "discarded":
            self._account_for(ending)
        log.info("recording_ended", why=ending.why, detail=ending.detail)
        media_seconds = self._telling.progress.media_seconds
        self._run.end(ending.why, ending.detail, media_seconds, self._clock.now())
        self._telling.save()
        return ending.why

    def _account_for(self, ending: Ending) -> None:
        """Say what else must be missing: at the start, at the end, and by the clock."""
        telling, at = self._telling, self._clock.now()
        live_since = self._seeking.live_since
        if self._run.started and self._bytes_before == 0 and self._has_begun_before:
            self._account_for_beginning()
        elif self._run.started and live_since is not None and self._bytes_before == 0:
            late = self._timeline.late_start(live_since)
            telling.lose(gaps.at_start("started late", late, at))
        if not self._run.started and self._bytes_before > 0 and not self._continues:
            self._account_for_restart()
        media_seconds = telling.progress.media_seconds
        said = sum(gap.seconds for gap in self._run.gaps if gap.cause not in _BEFORE)
        rest = self._timeline.unaccounted(said, self._patience)
        telling.lose(gaps.at_end("unaccounted", rest, media_seconds, at))
        if self._watch.is_still and self._may_have_gone_on(ending):
            idle = self._watch.idle(self._clock.seconds())
            telling.lose(gaps.at_end(self._hindrance.kind, idle, media_seconds, at))

    @property
    def _has_begun_before(self) -> bool:
        return not self._continues and any(run.started for run in self._telling.earlier)

    def _account_for_beginning(self) -> None:
        """Say what is missing of an earlier attempt that fell before anything was saved."""
        began, spoken = self._run.started_at, self._desk.journal.last_word()
        assert began is not None, "media came"
        if spoken is not None:
            away = (began - spoken).total_seconds() - self._timeline.lead
            seen = self._media_said - self._media_before
            self._telling.lose(gaps.at_start("recorder restarted", away + seen, spoken))

    def _account_for_restart(self) -> None:
        """Say what an earlier attempt's fall may have cost, where this one got nothing more."""
        at, spoken = self._clock.now(), self._desk.journal.last_word()
        if spoken is not None:
            looked = self._clock.seconds() - self._began  # what the site said since is known
            away = (at - spoken).total_seconds() - looked
            self._telling.lose(self._fallen_with(spoken))
            gap = gaps.at_end("recorder restarted", away, self._media_before, spoken)
            self._telling.lose(gap)

    def _fallen_with(self, spoken: datetime) -> Gap | None:
        """Return what earlier attempts had recorded, and nobody has or fetches again."""
        return gaps.unsaved(self._media_said, self._media_before, spoken)

    def _may_have_gone_on(self, ending: Ending) -> bool:
        """Return whether the source may have made media since the last that came."""
        if ending.why in _OVER:
            return False
        if ending.why in _ON_OUR_SIDE or self._hindrance.may_hide_media:
            return True
        return not self._is_numbered

    def _end_as(self, ended: RecordingEnded) -> None:
        self._run.end(ended.why, ended.detail, ended.media_seconds, self._clock.now())
        self._telling.save()

    def _give_up(self) -> None:
        """Record nothing more; the stream may go on without us."""
        at, spoken = self._clock.now(), self._desk.journal.last_word()
        if spoken is not None and self._bytes_before > 0:
            away = (at - spoken).total_seconds()
            self._telling.lose(self._fallen_with(spoken))
            self._telling.lose(gaps.given_up(away, self._media_before, spoken))
        detail = "No attempt is left; what the earlier ones saved is delivered."
        self._run.end("failed", detail, self._media_before, at)
        self._telling.save()

    def _wall_seconds(self) -> float | None:
        """Return the seconds from the first media of all attempts to the last."""
        telling, spoken = self._telling, self._desk.journal.last_word()
        begun = [run.started_at for run in telling.earlier if run.started_at is not None]
        if not begun or spoken is None:
            # Media of a machine that is gone: when it began, nobody knows.
            is_known = self._run.started and self._bytes_before == 0
            return self._timeline.wall_seconds if is_known else None
        until = self._run.started_at or spoken
        return max(0.0, (until - min(begun)).total_seconds()) + self._timeline.wall_seconds
