"""What attempts on machines that are gone left in the store alone."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import structlog
from chronicle_storage import GrowingObject, RecordingStore, StoredObject, Unfinished

log = structlog.get_logger(__name__)


class LostPieces:
    """Found by the first look of a later attempt; in the order in which they were recorded.

    Safe to use from two threads: what is large takes a while to be set aside, within the store.
    """

    def __init__(self, store: RecordingStore, key: str, *, attempt: int) -> None:
        self._store = store
        self._key = key
        self._attempt = attempt
        self._lock = threading.Lock()
        self._unfinished: list[Unfinished] | None = None
        self._delivered: StoredObject | None = None
        self._own: set[str] = set()
        self.size = 0  # bytes in them, as far as they were found

    @property
    def is_known(self) -> bool:
        """Whether the store has said what was lost."""
        return self._attempt == 1 or self._unfinished is not None

    def look(self, own: Iterable[GrowingObject]) -> None:
        """Take the recording over and see what there is; raises `StoreError`.

        `own` pieces are in the work folder: they are not lost. A first attempt asks nobody.
        """
        with self._lock:
            if self._attempt > 1 and self._unfinished is None:
                self._look(list(own))

    def _look(self, own: list[GrowingObject]) -> None:
        self._store.take_over(self._key, self._attempt)
        known = {piece.id for piece in own}
        # What a piece of ours was set aside as, by a delivery that broke off.
        self._own = {piece.path.stem for piece in own}
        unfinished = [one for one in self._store.unfinished(self._key) if one.id not in known]
        aside = self._aside()
        if not own and not aside and not any(not one.derived for one in unfinished):
            # Delivered by an attempt that had no time to say so.
            self._delivered = self._store.stat(self._key)
        saved = [self._delivered] if self._delivered is not None else aside
        self.size = sum(one.size for one in saved)
        self.size += sum(one.size or 0 for one in unfinished if not one.derived)
        self._unfinished = unfinished
        if self.size:
            log.info("lost_pieces_found", unfinished=len(unfinished), bytes=self.size)

    def salvage(self) -> list[StoredObject]:
        """Complete what `look` found; return all that was lost. Raises `StoreError`."""
        with self._lock:
            while self._unfinished:
                one = self._unfinished[0]
                if one.derived:
                    self._store.abort(one)
                else:
                    self._store.salvage(one)
                del self._unfinished[0]
            if self._attempt == 1:
                return []
            return [self._delivered] if self._delivered is not None else self._aside()

    def _aside(self) -> list[StoredObject]:
        return [one for one in self._store.aside(self._key) if _name(one) not in self._own]

    def clear(self) -> None:
        """Delete them, and whatever else was set aside of this recording."""
        with self._lock:
            self._store.forget(self._key)


def _name(one: StoredObject) -> str:
    """`recording.mkv.attempt-1.mkv` -> `attempt-1`."""
    return one.key.rsplit(".", 2)[1]
