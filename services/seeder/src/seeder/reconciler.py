"""Making the engine match the aggregates, again and again.

An engine that lost everything is whole again after one pass; a step that a crash left out is
made good; what the limits say is done. Torrents that no seed knows are left alone: somebody
else's, in an engine that is shared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from chronicle_contracts import Retry
from chronicle_eventstore import EventStore, StreamConflict

from seeder.domain.meter import Meter
from seeder.domain.policy import Limits
from seeder.domain.seed import Seed, State, WhyStopped
from seeder.offering import Offering
from seeder.ports import Engine, EngineDown, EngineTorrent
from seeder.roster import Roster

log = structlog.get_logger(__name__)

TICK = 1.0  # seconds; also the pause between looks at an engine that is still checking


class Reconciler:
    """One thread of the seeder.

    `every` is the pause between passes, `health_every` that between looks at each recording
    itself (a look costs a request where the store is a bucket), both in seconds.
    """

    def __init__(
        self,
        *,
        events: EventStore,
        roster: Roster,
        engine: Engine,
        offering: Offering,
        limits: Limits,
        clock: Callable[[], datetime],
        every: float = 30.0,
        health_every: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = events
        self._roster = roster
        self._engine = engine
        self._offering = offering
        self._limits = limits
        self._clock = clock
        self._every = every
        self._health_every = health_every
        self._monotonic = monotonic
        self._meters: dict[str, Meter] = {}
        self._looked_at: float | None = None
        self._nudged = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Make passes until `stop` is set; a pass that fails is logged and made again."""
        due = self._monotonic()
        while not stop.is_set():
            if self._nudged.is_set() or self._monotonic() >= due:
                self._nudged.clear()
                settled = True
                try:
                    settled = self.run_once()
                except Exception:  # a pass must not end the thread; the next one may succeed
                    log.exception("pass_failed")
                due = self._monotonic() + (self._every if settled else TICK)
            stop.wait(min(TICK, self._every))

    def nudge(self) -> None:
        """Make the next pass soon: something was left to it."""
        self._nudged.set()

    def run_once(self) -> bool:
        """Make one pass; return whether nothing is waited for."""
        self._roster.catch_up()
        try:
            there = self._engine.torrents()
        except EngineDown as down:
            log.warning("engine_down", reason=str(down))
            return True
        look = self._look_is_due()
        settled = True
        for seed in self._roster:
            try:
                settled &= self._reconcile(seed, there, look=look)
            except StreamConflict:
                settled = False  # somebody is at it; look again soon
            except Retry as trouble:
                log.warning("store_down", job_id=seed.job_id, reason=str(trouble))
                return True
            except Exception:  # one broken seed must not keep the others from their peers
                log.exception("seed_failed", job_id=seed.job_id)
        self._keep_within_total()
        return settled

    def _look_is_due(self) -> bool:
        now = self._monotonic()
        if self._looked_at is None or now - self._looked_at >= self._health_every:
            self._looked_at = now
            return True
        return False

    def _reconcile(self, seed: Seed, there: Mapping[str, EngineTorrent], *, look: bool) -> bool:
        if seed.torrent is None:
            return True
        info_hash = seed.torrent.info_hash
        in_engine = there.get(info_hash)
        replaced = seed.replaced & there.keys()
        if seed.state is State.SEEDING and in_engine is not None and in_engine.seeding:
            self._measure(seed, info_hash, in_engine)
            why = self._limits.why_to_stop(seed, self._clock())
            if why is not None:
                self._stop(seed, info_hash, why)
            elif replaced or (look and not self._offering.is_sound(seed.torrent)):
                return self._offering.match(self._fresh(seed))
            return True
        unwanted = not (seed.is_wanted or seed.may_come_back)
        if unwanted and in_engine is None and not replaced:
            return True
        if seed.may_come_back and not look:
            return True
        return self._offering.match(self._fresh(seed))

    def _measure(self, seed: Seed, info_hash: str, now: EngineTorrent) -> None:
        meter = self._meters.get(info_hash)
        meter = Meter.begin(seed.uploaded, now.uploaded) if meter is None else meter
        meter = self._meters[info_hash] = meter.read(now.uploaded)
        if seed.has_news(meter.total, self._clock()):
            fresh = self._fresh(seed)
            fresh.progress(meter.total, now.peers, at=self._clock())
            self._offering.save(fresh)

    def _stop(self, seed: Seed, info_hash: str, why: WhyStopped) -> None:
        fresh = self._fresh(seed)
        fresh.stop(why, at=self._clock())
        self._offering.save(fresh)
        self._meters.pop(info_hash, None)
        try:
            self._offering.withdraw(info_hash)
        except EngineDown as down:
            # The next pass finds it in the engine and unwanted.
            log.warning("engine_down", job_id=seed.job_id, reason=str(down))

    def _keep_within_total(self) -> None:
        self._roster.catch_up()
        for seed in self._limits.over_total(self._roster):
            if seed.torrent is not None:
                self._stop(seed, seed.torrent.info_hash, "space")

    def _fresh(self, seed: Seed) -> Seed:
        return self._events.get(Seed, seed.id, job_id=seed.job_id, at=self._clock())
