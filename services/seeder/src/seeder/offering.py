"""Making the engine match one seed; each step can be repeated, so a crash anywhere is made good.

1. Look at the recording ourselves: an engine believes what it once checked.
2. Tell the tracker, which serves only what it was told of; then the engine's first announce
   is accepted.
3. Hand the torrent to the engine, again and again until it says that it offers it.
4. Record SeedingStarted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from chronicle_contracts import Event
from chronicle_contracts.seeder import TorrentCreated
from chronicle_eventstore import EventStore

from seeder.domain.seed import Seed, State
from seeder.ports import (
    CannotMake,
    Engine,
    EngineDown,
    EngineRefused,
    Offer,
    Recordings,
    StoredFile,
    TorrentMaker,
    Tracker,
    Wish,
)

log = structlog.get_logger(__name__)


class Offering:
    """Engine, tracker and store, as far as they serve one seed."""

    def __init__(
        self,
        *,
        events: EventStore,
        recordings: Recordings,
        maker: TorrentMaker,
        engine: Engine,
        tracker: Tracker,
        clock: Callable[[], datetime],
        saved: Callable[[], None],
    ) -> None:
        self._events = events
        self._recordings = recordings
        self._maker = maker
        self._engine = engine
        self._tracker = tracker
        self._clock = clock
        self._saved = saved
        # What the engine refused, with the etag of the recording that it refused: checking
        # takes minutes, so it is asked again only when the recording has changed.
        self._refused: dict[str, str] = {}

    def save(self, seed: Seed) -> None:
        """Append what the seed recorded and wake the relay; raises `StreamConflict`."""
        if seed.pending_events:
            self._events.append(seed)
            self._saved()

    def withdraw(self, info_hash: str) -> None:
        """Take a torrent from the engine and from the tracker; raises `EngineDown`."""
        self._engine.withdraw(info_hash)
        self._tracker.forbid(info_hash)
        self._refused.pop(info_hash, None)

    def match(self, seed: Seed, *, cause: Event | None = None) -> bool:
        """Bring engine and seed together; return whether there is nothing left to wait for.

        Raises `StreamConflict`, and `Retry` while the store does not answer.
        """
        torrent = seed.torrent
        try:
            for info_hash in seed.replaced:
                self.withdraw(info_hash)
            if torrent is None:
                return True
            if not (seed.is_wanted or seed.may_come_back):
                self.withdraw(torrent.info_hash)
                return True
            return self._offer(seed, torrent, cause)
        except EngineDown as down:
            log.warning("engine_down", job_id=seed.job_id, reason=str(down))
            return False

    def is_sound(self, torrent: TorrentCreated) -> bool:
        """Return whether the recording still looks like what the torrent was made of."""
        return _difference(torrent, self._recordings.stat(torrent.recording_key)) is None

    def _offer(self, seed: Seed, torrent: TorrentCreated, cause: Event | None) -> bool:
        stored = self._recordings.stat(torrent.recording_key)
        difference = _difference(torrent, stored)
        if stored is None or difference is not None:
            self._give_up(seed, torrent, "missing", difference or "")
            return True
        if self._refused.get(torrent.info_hash) == stored.etag:
            return True
        try:
            metainfo = self._metainfo(torrent)
            self._tracker.allow(torrent.info_hash)
            offered = self._engine.offer(
                Offer(torrent.info_hash, metainfo, torrent.recording_key, torrent.size)
            )
        except (EngineRefused, CannotMake) as refusal:
            self._give_up(seed, torrent, "refused", str(refusal))
            self._refused[torrent.info_hash] = stored.etag
            return True
        if offered:
            seed.start(self._engine.name, at=self._clock(), cause=cause)
            self.save(seed)
        return offered

    def _give_up(self, seed: Seed, torrent: TorrentCreated, code: str, detail: str) -> None:
        """Record what is wrong, then take the torrent away before somebody is served rubbish."""
        if seed.state is State.CREATED:
            seed.fail(torrent.recording_key, code, detail, at=self._clock())
        else:
            seed.stop("missing", at=self._clock(), detail=detail)
        self.save(seed)
        self.withdraw(torrent.info_hash)

    def _metainfo(self, torrent: TorrentCreated) -> bytes:
        """Return the .torrent; made again where somebody deleted it, from the same recording."""
        if (metainfo := self._recordings.fetch(torrent.key)) is not None:
            return metainfo
        log.warning("torrent_file_missing", key=torrent.key, info_hash=torrent.info_hash)
        again = self._maker.make(
            Wish(
                key=torrent.recording_key,
                name=torrent.name,
                size=torrent.size,
                piece_length=torrent.piece_length,
                made_at=self._clock(),
                trackers=torrent.trackers,
                web_seeds=torrent.web_seeds,
            )
        )
        if again.info_hash != torrent.info_hash:
            raise CannotMake(
                "changed", f"{torrent.recording_key} is not what its torrent was made of any more"
            )
        self._recordings.put(torrent.key, again.metainfo)
        return again.metainfo


def _difference(torrent: TorrentCreated, stored: StoredFile | None) -> str | None:
    if stored is None:
        return f"The recording {torrent.recording_key} is not in the store."
    if stored.size != torrent.size:
        return (
            f"The recording {torrent.recording_key} has {stored.size} bytes, "
            f"its torrent was made of {torrent.size}."
        )
    return None
