"""From files to one recording in the store, judged, with its manifest beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from chronicle_contracts.recorder import Completeness, Gap

from recorder.domain import completeness, gaps
from recorder.domain.delivery import Delivery
from recorder.domain.ending import Outcome
from recorder.domain.statement import Attempt, Statement
from recorder.ports import (
    Accounts,
    Clock,
    Control,
    Journal,
    Manifest,
    NothingSaved,
    Shelf,
    StoreTrouble,
    Superseded,
)
from recorder.telling import Telling

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.05  # seconds
LONGEST_PAUSE = 30.0  # seconds between two tries
MANIFEST_WITHIN = 60.0  # seconds; a recording is not held back for what is said about it

T = TypeVar("T")


class DiscardAsked(Exception):
    """While it was delivered, somebody asked to throw the recording away."""


@dataclass(frozen=True)
class Desk:
    """What a delivery needs of the world."""

    shelf: Shelf
    accounts: Accounts
    manifest: Manifest
    journal: Journal
    control: Control
    clock: Clock
    executor: Executor  # for what takes seconds, while heartbeats go on


class Delivering:
    """The end of a recording; `run` returns when it is delivered, discarded or given up.

    A wish to discard is heard until `Uploaded` is said; after that it is too late.
    """

    def __init__(self, desk: Desk, telling: Telling, *, within: float) -> None:
        self._desk = desk
        self._telling = telling
        self._within = within
        self._is_there = False  # in the store
        self._gaps: tuple[Gap, ...] = ()

    def run(self, wall_seconds: float | None) -> Outcome:
        """Deliver, verify, state, say so. `wall_seconds`: from the first media to the last."""
        telling = self._telling
        telling.progress = replace(telling.progress, bytes_durable=self._desk.shelf.bytes_durable)
        telling.beat("UPLOADING")
        telling.save()
        try:
            delivery = self._persistently(self._deliver, self._within)
            self._find_gaps(delivery)
            judged = self._judged(delivery, wall_seconds)
            manifest_key = self._manifest_key(delivery, judged)
        except NothingSaved as error:
            return telling.fail("nothing_recorded", str(error))
        except Superseded as error:
            log.warning("superseded", reason=str(error))
            return Outcome.SUPERSEDED
        except DiscardAsked:
            return self._discard()
        except StoreTrouble as error:
            log.warning("undelivered", reason=str(error))
            return Outcome.UNDELIVERED
        telling.run.deliver(
            delivery,
            self._gaps,
            judged,
            manifest_key=manifest_key,
            at=self._desk.clock.now(),
        )
        telling.save()
        log.info("recording_delivered", key=delivery.key, size=delivery.size)
        self._desk.shelf.leave_journal(self._desk.journal.lines())
        return Outcome.DELIVERED

    def _deliver(self) -> Delivery:
        delivery = self._desk.shelf.deliver()
        self._is_there = True
        return delivery

    def _find_gaps(self, delivery: Delivery) -> None:
        """Say what is missing in the object although it was seen to be recorded."""
        telling, at = self._telling, self._desk.clock.now()
        torn, is_all = gaps.torn(delivery.files, self._desk.accounts.given(), at)
        least = gaps.LEAST_GAP if is_all else gaps.LEAST_UNCOUNTED
        seen = telling.progress.media_seconds - sum(gap.seconds for gap in torn)
        rest = gaps.unsaved(seen, delivery.duration, at, least=least)
        holes = [gaps.of_hole(hole, at) for hole in delivery.losses]
        for gap in (*torn, rest, *holes, gaps.of_drift(delivery, telling.gaps, at)):
            # An earlier attempt may have found it, and died before its last word.
            if gap is not None and not any(gaps.is_same(gap, said) for said in telling.gaps):
                telling.lose(gap)
        asked = self._desk.accounts.asked_since()
        self._gaps = tuple(
            gap
            for run in telling.runs
            for gap in run.gaps
            if not gaps.is_taken_back(gap, run.attempt, asked)
        )

    def _judged(self, delivery: Delivery, wall_seconds: float | None) -> Completeness:
        kept, missed = self._desk.accounts.count()
        delays = [run.start_delay for run in self._telling.runs if run.started]
        judged = completeness.judged(
            delivery,
            self._gaps,
            wall_seconds=wall_seconds,
            start_delay=delays[0] if delays else None,
            segments_kept=kept,
            segments_missed=missed,
        )
        say = log.info if judged.verified else log.warning
        say("recording_judged", troubles=list(delivery.troubles), **judged.model_dump())
        return judged

    def _manifest_key(self, delivery: Delivery, judged: Completeness) -> str | None:
        telling = self._telling
        ended = telling.run.ended
        assert ended is not None, "what is delivered has ended"
        statement = Statement(
            job=telling.run.job_id,
            delivery=delivery,
            gaps=self._gaps,
            completeness=judged,
            attempts=tuple(
                Attempt(
                    run=run.run_id,
                    attempt=run.attempt,
                    started_at=run.started_at,
                    ended_at=run.modified_on,
                    why=run.ended.why if run.ended else None,
                    media_seconds=round(run.media_seconds, 3),
                )
                for run in telling.runs
            ),
            why=ended.why,
            detail=ended.detail,
            ended_at=max(run.modified_on for run in telling.runs),
        )
        try:
            return self._persistently(lambda: self._desk.manifest.write(statement), MANIFEST_WITHIN)
        except StoreTrouble as error:
            log.warning("manifest_not_written", reason=str(error))
            return None

    def _discard(self) -> Outcome:
        telling, desk = self._telling, self._desk
        log.info("discarded_while_delivering")
        if self._is_there:
            try:
                desk.shelf.withdraw()
            except StoreTrouble as error:
                # The next attempt finds the wish, too.
                log.warning("not_withdrawn", reason=str(error))
                return Outcome.UNDELIVERED
            desk.manifest.discard(desk.shelf.key)
        telling.run.discard(
            "It was discarded while it was delivered.",
            telling.progress.media_seconds,
            at=desk.clock.now(),
        )
        telling.save()
        return Outcome.DISCARDED

    def _persistently(self, act: Callable[[], T], within: float) -> T:
        """Act in the background, so that heartbeats go on; try again while the store fails.

        Raises what `act` does, `StoreTrouble` only after `within` seconds; `DiscardAsked`
        between two tries, or after the last one: what runs is not broken off.
        """
        desk, telling = self._desk, self._telling
        pause, deadline = 1.0, desk.clock.seconds() + within
        while True:
            work = desk.executor.submit(act)
            while not work.done():
                telling.beat_if_due("UPLOADING")
                telling.save()
                desk.control.wait(LOOK_EVERY)
            is_unwanted = desk.control.wish().stop == "discard"
            try:
                done = work.result()
            except StoreTrouble as trouble:
                if is_unwanted:
                    raise DiscardAsked from trouble
                if desk.clock.seconds() + pause > deadline:
                    raise
                log.warning("delivery_failed", reason=str(trouble), next_try=pause)
            else:
                if is_unwanted:
                    raise DiscardAsked
                return done
            self._pause(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _pause(self, seconds: float) -> None:
        until = self._desk.clock.seconds() + seconds
        while (left := until - self._desk.clock.seconds()) > 0:
            self._telling.beat_if_due("UPLOADING")
            self._telling.save()
            if self._desk.control.wish().stop == "discard":
                raise DiscardAsked
            self._desk.control.wait(min(left, 1.0))
