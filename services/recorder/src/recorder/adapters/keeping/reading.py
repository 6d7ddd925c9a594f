"""The recording's files as something to be read once, wherever they are."""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from chronicle_storage import RecordingStore, StoredObject, StoreUnreachable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 1024 * 1024  # bytes
TRIES = 6
PAUSE = 1.0  # seconds; doubled with each try


@dataclass(frozen=True)
class LocalFile:
    """Implements `joining.Source` for a file on the disk."""

    path: Path
    holes: Sequence[tuple[int, int]] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.name

    def open(self) -> BinaryIO:
        """Open it."""
        return self.path.open("rb", buffering=BUFFER)


@dataclass(frozen=True)
class StoredFile:
    """Implements `joining.Source` for an object of the store; nothing of it touches the disk."""

    store: RecordingStore
    stored: StoredObject
    holes: Sequence[tuple[int, int]] = ()

    @property
    def name(self) -> str:
        """Its key."""
        return self.stored.key

    def open(self) -> BinaryIO:
        """Ask for it."""
        raw = _Stream(self.store, self.stored)
        return cast("BinaryIO", io.BufferedReader(raw, BUFFER))


class _Stream(io.RawIOBase):
    """An object's bytes; a store that goes away is asked again for the rest."""

    def __init__(self, store: RecordingStore, stored: StoredObject) -> None:
        self._store = store
        self._stored = stored
        self._at = 0
        self._chunks: Iterator[bytes] | None = None
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if not self._rest:
            self._rest = self._next()
        taken = min(len(view), len(self._rest))
        view[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken

    def close(self) -> None:
        if isinstance(self._chunks, Generator):
            self._chunks.close()  # and the answer with it
        super().close()

    def _next(self) -> bytes:
        for tries in range(TRIES):
            try:
                if self._chunks is None:
                    self._chunks = self._store.read(self._stored.key, self._at)
                chunk = next(self._chunks, b"")
            except StoreUnreachable:
                self._chunks = None
                if tries == TRIES - 1:
                    raise
                time.sleep(PAUSE * 2**tries)
            else:
                self._at += len(chunk)
                return chunk
        raise AssertionError("the last try raises")
