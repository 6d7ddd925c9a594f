"""The recording's files, and how they become one object of the store."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import structlog
from chronicle_contracts.recorder import Checksum
from chronicle_storage import (
    GrowingObject,
    NothingToDeliver,
    RecordingStore,
    StoredObject,
    StoreError,
    sha256_of_object,
)
from chronicle_storage import Superseded as TurnIsOver

from recorder.adapters.keeping.asking import patiently
from recorder.adapters.keeping.join_output import join_into
from recorder.adapters.keeping.lost_pieces import LostPieces
from recorder.adapters.keeping.pieces import JOINED, Pieces, piece_of, size_of
from recorder.adapters.keeping.reading import LocalFile, StoredFile
from recorder.adapters.keeping.saver import Evidence, Saver
from recorder.adapters.keeping.verification import Verification, verify
from recorder.adapters.media.ffmpeg import Ffmpeg
from recorder.adapters.media.joining import CannotJoin, Source, is_media
from recorder.adapters.media.probe import Probed, probe
from recorder.domain.delivery import Delivery, File
from recorder.ports import NothingSaved, StoreTrouble, Superseded

log = structlog.get_logger(__name__)

HEAD = 8 * 1024 * 1024  # bytes at the beginning of a file in which its tracks are described
TAIL = 64 * 1024 * 1024  # bytes at its end that hold its index and some seconds of media
LEAST_DIFFERENCE = 0.5  # seconds between what was written and what a reader finds


class _Nothing:
    """What is left by whoever keeps no account of what is written."""

    def settle(self) -> None: ...

    def leave(self) -> None: ...


class StoreShelf:
    """Implements `ports.Shelf` over a recording store."""

    def __init__(
        self,
        store: RecordingStore,
        ffmpeg: Ffmpeg,
        *,
        key: str,
        work_dir: Path,
        attempt: int,
        flush_interval: float,
        evidence: Evidence | None = None,
    ) -> None:
        self._store = store
        self._ffmpeg = ffmpeg
        self._key = key
        self._work_dir = work_dir
        self._pieces = Pieces(
            lambda name: store.grow(
                key, spool=work_dir, name=name, turn=attempt, derived=name == JOINED
            ),
            attempt=attempt,
        )
        self._lost = LostPieces(store, key, attempt=attempt)
        self._seek_lost()
        self._saved_bytes = sum(size_of(piece.path) for piece in self._pieces) + self._lost.size
        self._saver = Saver(self._pieces, interval=flush_interval, evidence=evidence or _Nothing())
        self._saver.start()

    def begin(self) -> Path:
        """Return where the next file is to be written."""
        return self._pieces.begin().path

    @property
    def key(self) -> str:
        """Where the recording is delivered."""
        return self._key

    @property
    def is_superseded(self) -> bool:
        """Whether the store refused what grows here, because a later attempt goes on with it."""
        return self._saver.is_superseded

    @property
    def saved_bytes(self) -> int:
        """Bytes that were there before this attempt."""
        return self._saved_bytes

    @property
    def knows_saved(self) -> bool:
        """Whether `saved_bytes` are all of them: the store has said what it has."""
        return self._lost.is_known

    @property
    def bytes_durable(self) -> int:
        """Bytes that the store confirmed."""
        return sum(piece.durable for piece in self._pieces)

    @property
    def free_disk(self) -> int | None:
        """Bytes free where the newest file grows."""
        place = next((piece.path.parent for piece in reversed(list(self._pieces))), self._work_dir)
        try:
            return shutil.disk_usage(place).free
        except OSError:
            return None

    def deliver(self) -> Delivery:
        """Deliver one finalised file; what must be joined or finalised is, without re-encoding."""
        self._saver.stop()
        with self._saver.lock:
            try:
                return self._deliver()
            except NothingToDeliver as error:
                raise NothingSaved("No media was saved.") from error
            except TurnIsOver as error:
                raise Superseded(str(error)) from error
            except (StoreError, OSError) as error:
                raise StoreTrouble(str(error)) from error

    def withdraw(self) -> None:
        """Delete the object under the key."""
        try:
            self._store.delete(self._key)
        except StoreError as error:
            raise StoreTrouble(str(error)) from error

    def leave_journal(self, lines: bytes) -> None:
        """Put `<key>.journal.jsonl`."""
        try:
            self._store.put(f"{self._key}.journal.jsonl", lines, content_type="application/jsonl")
        except StoreError as error:
            log.warning("journal_not_left", error=str(error))

    def clear(self) -> None:
        """Discard the pieces."""
        self._saver.stop()
        with self._saver.lock:
            for grown in [*self._pieces, self._pieces.joined()]:
                try:
                    grown.discard()
                except StoreError as error:
                    log.warning("piece_left_behind", file=grown.path.name, error=str(error))
            try:
                self._lost.clear()
            except StoreError as error:
                log.warning("lost_pieces_left_behind", error=str(error))

    def _seek_lost(self) -> None:
        """Find what machines that are gone had stored, and save it while the stream goes on."""
        try:
            patiently(lambda: self._lost.look(self._pieces))
        except StoreError as error:
            # Whoever delivers tries it again.
            log.warning("lost_pieces_unknown", error=str(error))
            return

        def salvage() -> None:
            try:
                self._lost.salvage()
            except StoreError as error:
                log.warning("lost_pieces_not_salvaged", error=str(error))

        threading.Thread(target=salvage, name="salvage", daemon=True).start()

    def _deliver(self) -> Delivery:
        self._lost.look(self._pieces)
        lost = self._lost.salvage()
        pieces = [
            piece
            for piece in self._pieces
            if size_of(piece.path) > 0 and is_media(LocalFile(piece.path))
        ]
        if not pieces and all(one.key == self._key for one in lost):
            return self._delivered_before()
        if not lost and len(pieces) == 1:
            delivery = self._as_it_grew(pieces[0])
            if delivery is not None:
                return delivery
        sources: list[Source] = [StoredFile(self._store, one) for one in lost]
        sources += [self._source(piece) for piece in pieces]
        return self._joined(sources)

    def _as_it_grew(self, piece: GrowingObject) -> Delivery | None:
        """Deliver the only file; None where it was never finalised, or the store lost some of it.

        The store may find that out only now: then a whole object takes the place of this one.
        """
        probed = probe(self._ffmpeg, piece.path)
        if probed is None or probed.duration is None or piece.lost:
            return None
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as background:
            # The last part and the head are on their way while it is looked at.
            preparing = background.submit(piece.prepare)
            found = verify(self._ffmpeg, piece.path, probed)
            preparing.result()
        stored = piece.complete()
        if piece.lost:
            return None
        delivery = _delivery(stored, piece.checksum(), probed, found)
        seconds = delivery.duration
        whole = File(piece_of(piece.path.name), seconds, seconds, is_final=True)
        return replace(delivery, files=(whole,))

    def _source(self, piece: GrowingObject) -> Source:
        if piece.is_here:
            return LocalFile(piece.path, piece.lost)
        stored = piece.set_aside()
        return StoredFile(self._store, stored, piece.lost)

    def _joined(self, sources: list[Source]) -> Delivery:
        """Deliver one file with everything in it; what it is made of is left as it is."""
        grown = self._pieces.joined()
        try:
            joined = join_into(grown, sources)
        except CannotJoin as error:
            raise NothingSaved(str(error)) from error
        found = probe(self._ffmpeg, grown.path)
        if found is None or abs((found.duration or 0.0) - joined.duration) > LEAST_DIFFERENCE:
            raise StoreTrouble(f"what was joined of {len(sources)} files is not what was written")
        verified = verify(self._ffmpeg, grown.path, found)
        stored = grown.complete()
        delivery = _delivery(stored, grown.checksum(), found, verified)
        return replace(
            delivery,
            files=tuple(replace(one, name=piece_of(one.name)) for one in joined.files),
            losses=joined.holes,
            stretches=joined.stretches,
        )

    def _delivered_before(self) -> Delivery:
        """Describe what an earlier attempt delivered before it died; it had no time to say so."""
        stored = self._store.stat(self._key)
        if stored is None:
            raise NothingSaved("No media was saved.")
        with NamedTemporaryFile(dir=self._work_dir, suffix=".ends") as ends:
            # Tracks and duration stand at the beginning of what was finalised, the index at its
            # end; between them lies a hole that costs no disk.
            for start in {0, max(0, stored.size - TAIL)}:
                ends.seek(start)
                length = HEAD if start == 0 and stored.size > TAIL else TAIL
                for chunk in self._store.read(self._key, start, length):
                    ends.write(chunk)
            ends.flush()
            found = probe(self._ffmpeg, Path(ends.name))
            if found is None:
                raise NothingSaved("No media was saved.")
            verified = verify(self._ffmpeg, Path(ends.name), found)
        checksum = ("sha256", sha256_of_object(self._store, self._key))
        return _delivery(stored, checksum, found, verified)


def _delivery(
    stored: StoredObject, checksum: tuple[str, str], probed: Probed, verified: Verification
) -> Delivery:
    algorithm, digits = checksum
    return Delivery(
        key=stored.key,
        size=stored.size,
        etag=stored.etag,
        checksum=Checksum.model_validate({"algorithm": algorithm, "value": digits}),
        duration=probed.duration or 0.0,
        media=probed.media,
        drift=verified.drift,
        troubles=verified.troubles,
    )
