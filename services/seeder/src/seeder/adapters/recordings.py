"""The recording store as the seeder sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chronicle_contracts import Retry
from chronicle_storage import ObjectMissing, RecordingStore, StoreUnreachable

from seeder.ports import StoredFile

TORRENT = "application/x-bittorrent"


@contextmanager
def passing() -> Iterator[None]:
    """Let what is handled come again while the store does not answer."""
    try:
        yield
    except StoreUnreachable as trouble:
        raise Retry(str(trouble)) from trouble


class StoreRecordings:
    """Recordings and torrents in one store."""

    def __init__(self, store: RecordingStore) -> None:
        self._store = store

    def stat(self, key: str) -> StoredFile | None:
        """Return size and etag."""
        with passing():
            found = self._store.stat(key)
        return None if found is None else StoredFile(found.size, found.etag)

    def fetch(self, key: str) -> bytes | None:
        """Return the object's bytes."""
        with passing():
            try:
                return b"".join(self._store.read(key))
            except ObjectMissing:
                return None

    def put(self, key: str, data: bytes) -> None:
        """Store a torrent."""
        with passing():
            self._store.put(key, data, content_type=TORRENT)

    def delete(self, key: str) -> None:
        """Delete a torrent."""
        with passing():
            self._store.delete(key)

    def delete_beside(self, key: str) -> None:
        """Delete `<key>.*`, but whose turn it is: a recorder that was lost may still wake up."""
        with passing():
            for one in list(self._store.list(f"{key}.")):
                if one.key != f"{key}.turn":
                    self._store.delete(one.key)
