"""The flow of the seeder: what it hears, and what it says about it.

``Uploaded`` → the torrent beside the recording and in ``watch/`` → ``TorrentCreated`` → tracker
and engine → ``SeedingStarted``. Every step is done once however often the event comes, and a
crash between two of them goes on with the next delivery or with the reconciler's next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from chronicle_contracts import Event, Fact, Ignore, Retry, naming
from chronicle_contracts.portal import RecordingDeleted
from chronicle_contracts.recorder import Uploaded
from chronicle_contracts.seeder import TorrentCreated
from chronicle_eventstore import EventStore, StreamConflict

from seeder.domain.content import content_of
from seeder.domain.pieces import piece_length
from seeder.domain.seed import Seed
from seeder.offering import Offering
from seeder.ports import CannotMake, EngineDown, Recordings, TorrentMaker, Wish

log = structlog.get_logger(__name__)

TRIES = 3


class Seeder:
    """Handles the events of the seeder's queue; threads may share it.

    `web_seed` returns the address of a recording for torrent clients; `left_over` is called
    when an engine has not yet taken a torrent.
    """

    def __init__(
        self,
        *,
        events: EventStore,
        recordings: Recordings,
        maker: TorrentMaker,
        offering: Offering,
        trackers: Sequence[str],
        web_seed: Callable[[str], str | None],
        clock: Callable[[], datetime],
        left_over: Callable[[], None],
    ) -> None:
        self._events = events
        self._recordings = recordings
        self._maker = maker
        self._offering = offering
        self._trackers = tuple(trackers)
        self._web_seed = web_seed
        self._clock = clock
        self._left_over = left_over

    def handle(self, event: Event) -> None:
        """Handle one event. Raises `Ignore` and `Retry`."""
        handler = HANDLED.get(type(event.data))
        if handler is None:
            raise Ignore(f"{event.type} is not for the seeder")
        for _ in range(TRIES):
            try:
                return handler(self, event)
            except StreamConflict:
                log.info("decided_again", job_id=event.subject, event_id=str(event.id))
        raise Retry(f"job {event.subject}: others appended {TRIES} times while this one decided")

    def on_uploaded(self, event: Event) -> None:
        """Make the torrent of a recording, unless it is there, and offer it."""
        uploaded = event.data
        assert isinstance(uploaded, Uploaded)
        seed = self._seed(event)
        if self._is_to_make(seed, event, uploaded):
            try:
                created = self._make(uploaded, event)
                if event.forced_by is not None:
                    self._take_away(seed)
                seed.create(created, at=self._clock(), cause=event)
            except CannotMake as problem:
                seed.fail(uploaded.key, problem.code, problem.detail, at=self._clock(), cause=event)
            self._offering.save(seed)
        if not self._offering.match(seed, cause=event):
            self._left_over()  # to the reconciler: the engine is away, or checks for minutes

    def _is_to_make(self, seed: Seed, event: Event, uploaded: Uploaded) -> bool:
        """Decide by what was done for this event; raises `Ignore` where a replay changes nothing.

        By force it is done again, once for each replay; but what a newer upload or a deletion
        has made a thing of the past stays that.
        """
        is_there = seed.has_torrent_of(uploaded.key, content_of(uploaded))
        is_done = seed.has_answered(event) or is_there
        if is_done and event.is_replayed:
            raise Ignore(f"{event.id} was answered before, and this replay forces nothing")
        if event.forced_by is None or not is_done:
            return not is_done
        if seed.is_deleted:
            raise Ignore(f"{uploaded.key} was deleted")
        if not (is_there or seed.is_of(event)):
            raise Ignore(f"{uploaded.key} was uploaded anew since")
        return not seed.has_redone(event)

    def _take_away(self, seed: Seed) -> None:
        """Let the engine forget what it is to take anew; before that is recorded."""
        if seed.torrent is None:
            return
        try:
            self._offering.withdraw(seed.torrent.info_hash)
        except EngineDown as down:
            raise Retry(f"{seed.torrent.info_hash} is still in the engine: {down}") from down

    def _make(self, uploaded: Uploaded, event: Event) -> TorrentCreated:
        wish = self._wish(uploaded, made_at=event.time)
        stored = self._recordings.stat(uploaded.key)
        if stored is None:
            raise CannotMake("missing", f"The recording {uploaded.key} is not in the store.")
        if stored.size != uploaded.size:
            raise CannotMake(
                "changed",
                f"The recording {uploaded.key} has {stored.size} bytes in the store, "
                f"{uploaded.size} were uploaded.",
            )
        torrent = self._maker.make(wish)
        created = TorrentCreated(
            recording_key=uploaded.key,
            content=content_of(uploaded),
            key=naming.torrent_key(uploaded.key),
            info_hash=torrent.info_hash,
            magnet=torrent.magnet,
            name=wish.name,
            size=wish.size,
            piece_length=wish.piece_length,
            trackers=tuple(wish.trackers),
            web_seeds=tuple(wish.web_seeds),
        )
        self._recordings.put(created.key, torrent.metainfo)
        self._recordings.put(naming.watch_key(uploaded.key), torrent.metainfo)
        return created

    def _wish(self, uploaded: Uploaded, made_at: datetime) -> Wish:
        name = uploaded.key.rsplit("/", 1)[-1]
        if naming.FILENAME.fullmatch(name) is None:
            raise CannotMake(
                "bad_name",
                f"The name {name!r} would be changed by torrent clients; use [A-Za-z0-9._-].",
            )
        if uploaded.size == 0:
            raise CannotMake("empty", f"The recording {uploaded.key} has no bytes.")
        web_seed = self._web_seed(uploaded.key)
        return Wish(
            key=uploaded.key,
            name=name,
            size=uploaded.size,
            piece_length=piece_length(uploaded.size),
            made_at=made_at,
            trackers=self._trackers,
            web_seeds=() if web_seed is None else (web_seed,),
        )

    def on_recording_deleted(self, event: Event) -> None:
        """Offer a deleted recording no longer; remove its torrent files and all beside it."""
        deleted = event.data
        assert isinstance(deleted, RecordingDeleted)
        seed = self._seed(event)
        if event.is_replayed and seed.has_answered(event):
            raise Ignore(f"{event.id} was answered before, and this replay forces nothing")
        if self._recordings.stat(deleted.key) is None:  # else it was recorded again
            self._recordings.delete_beside(deleted.key)
        if seed.torrent is None or seed.torrent.recording_key != deleted.key:
            raise Ignore(f"there is no torrent of {deleted.key}")
        if seed.has_answered(event) and seed.why_stopped != "deleted":
            raise Ignore(f"{deleted.key} was recorded again after this deletion")
        seed.stop("deleted", at=self._clock(), detail=deleted.reason, cause=event)
        self._offering.save(seed)
        self._recordings.delete(seed.torrent.key)
        self._recordings.delete(naming.watch_key(deleted.key))
        self._take_away(seed)

    def _seed(self, event: Event) -> Seed:
        stream = Seed.stream(event.subject)
        return self._events.get(Seed, stream, job_id=event.subject, at=self._clock())


HANDLED: Mapping[type[Fact], Callable[[Seeder, Event], None]] = {
    Uploaded: Seeder.on_uploaded,
    RecordingDeleted: Seeder.on_recording_deleted,
}
