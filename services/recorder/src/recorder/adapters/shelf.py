"""The recording's files, and how they become one object of the store."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import structlog
from chronicle_contracts.recorder import Checksum
from chronicle_storage import (
    GrowingObject,
    NothingToDeliver,
    RecordingStore,
    StoreError,
    sha256_of_path,
)

from recorder.adapters.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.adapters.joining import join
from recorder.adapters.pieces import Pieces
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
            lambda name: store.grow(key, spool=work_dir, name=name), attempt=attempt
        )
        self._saved_bytes = sum(_size(piece.path) for piece in self._pieces)
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
        with contextlib.suppress(OSError):
            (self._work_dir / "position.json").unlink(missing_ok=True)

    def _deliver(self) -> Delivery:
        playable = [
            (piece, found)
            for piece in self._pieces
            if _size(piece.path) > 0 and (found := probe(self._ffmpeg, piece.path)) is not None
        ]
        if not playable:
            return self._delivered_before()
        grown, probed = self._whole(playable)
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

    def _whole(self, playable: list[tuple[GrowingObject, Probed]]) -> tuple[GrowingObject, Probed]:
        """Return one object with everything in it, and what is in it."""
        first, probed = playable[0]
        if len(playable) == 1 and probed.duration is not None:
            return first, probed
        joined = self._pieces.joined()
        joined.discard()  # what an earlier attempt to deliver may have left
        try:
            join(self._ffmpeg, [piece.path for piece, _ in playable], joined.path)
        except FfmpegFailed as error:
            if "No space left" in str(error):
                raise StoreTrouble(f"joining needs more disk: {error}") from error
            log.warning("join_failed", error=str(error), files=len(playable))
            # Better the greatest part of a recording than none.
            return max(playable, key=lambda one: _size(one[0].path))
        whole = probe(self._ffmpeg, joined.path)
        return (joined, whole) if whole is not None else (first, probed)

    def _delivered_before(self) -> Delivery:
        """Describe what an earlier attempt delivered before it died; it had no time to say so."""
        stored = self._store.stat(self._key)
        path = self._store.local_path(self._key)
        found = probe(self._ffmpeg, path) if stored is not None and path is not None else None
        if stored is None or path is None or found is None:
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
