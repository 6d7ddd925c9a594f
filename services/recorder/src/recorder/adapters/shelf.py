"""The recording's files, and how they become one object of the store."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path

import structlog
from chronicle_contracts.recorder import Checksum
from chronicle_storage import (
    GrowingObject,
    NothingToDeliver,
    RecordingStore,
    StoredObject,
    StoreError,
    sha256_of_path,
)

from recorder.adapters.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.adapters.joining import join
from recorder.adapters.lost_pieces import LostPieces
from recorder.adapters.pieces import JOINED, Pieces
from recorder.adapters.probe import Probed, probe
from recorder.adapters.saver import Saver
from recorder.domain.delivery import Delivery
from recorder.ports import NothingSaved, StoreTrouble

log = structlog.get_logger(__name__)


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
        self._lost = LostPieces(store, key, attempt=attempt, work_dir=work_dir)
        self._seek_lost()
        self._saved_bytes = sum(_size(piece.path) for piece in self._pieces) + self._lost.size
        self._saver = Saver(self._pieces, interval=flush_interval)
        self._saver.start()

    def begin(self) -> Path:
        """Return where the next file is to be written."""
        return self._pieces.begin().path

    @property
    def saved_bytes(self) -> int:
        """Bytes that were there before this attempt."""
        return self._saved_bytes

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
            except (StoreError, OSError) as error:
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
        with contextlib.suppress(OSError):
            (self._work_dir / "position.json").unlink(missing_ok=True)

    def _seek_lost(self) -> None:
        """Find what machines that are gone had stored, and save it while the stream goes on."""
        try:
            self._lost.look(self._pieces)
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
        playable = [
            (piece, found)
            for piece in self._pieces
            if _size(piece.path) > 0 and (found := probe(self._ffmpeg, piece.path)) is not None
        ]
        if not playable and all(one.key == self._key for one in lost):
            return self._delivered_before()
        grown, probed = self._whole(lost, playable)
        stored = grown.complete()
        algorithm, digits = grown.checksum()
        return Delivery(
            key=self._key,
            size=stored.size,
            etag=stored.etag,
            checksum=Checksum.model_validate({"algorithm": algorithm, "value": digits}),
            duration=probed.duration or 0.0,
            media=probed.media,
        )

    def _whole(
        self, lost: list[StoredObject], playable: list[tuple[GrowingObject, Probed]]
    ) -> tuple[GrowingObject, Probed]:
        """Return one object with everything in it, and what is in it."""
        if not lost and len(playable) == 1 and playable[0][1].duration is not None:
            return playable[0]
        joined = self._pieces.joined()
        joined.discard()  # what an earlier attempt to deliver may have left
        files = [self._lost.fetch(one) for one in lost]
        for piece, _ in playable:
            files.append(piece.path if piece.is_here else self._lost.fetch(piece.set_aside()))
        try:
            join(self._ffmpeg, files, joined.path)
        except FfmpegFailed as error:
            if "No space left" in str(error):
                raise StoreTrouble(f"joining needs more disk: {error}") from error
            if not playable:
                raise NothingSaved("What a lost attempt had saved cannot be read.") from error
            log.warning("join_failed", error=str(error), files=len(files))
            # Better the greatest part of a recording than none.
            return max(playable, key=lambda one: _size(one[0].path))
        whole = probe(self._ffmpeg, joined.path)
        if whole is None:
            raise NothingSaved("What was saved holds no media that can be read.")
        return joined, whole

    def _delivered_before(self) -> Delivery:
        """Describe what an earlier attempt delivered before it died; it had no time to say so."""
        stored = self._store.stat(self._key)
        if stored is None:
            raise NothingSaved("No media was saved.")
        path = self._store.local_path(self._key) or self._lost.fetch(stored)
        found = probe(self._ffmpeg, path)
        if found is None:
            raise NothingSaved("No media was saved.")
        return Delivery(
            key=self._key,
            size=stored.size,
            etag=stored.etag,
            checksum=Checksum(algorithm="sha256", value=sha256_of_path(path)),
            duration=found.duration or 0.0,
            media=found.media,
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
