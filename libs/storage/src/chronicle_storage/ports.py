"""The port: what a recording store does, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

CHUNK = 1024 * 1024  # bytes that a read yields at most at a time


@dataclass(frozen=True)
class StoredObject:
    """An object as the store knows it; `etag` changes whenever its content does."""

    key: str
    size: int
    etag: str
    modified_at: datetime


class GrowingObject(Protocol):
    """A file that is stored while somebody still appends to it.

    Only its first part (8 MiB) may change after it was written: that is where Matroska
    keeps its head. Not to be used from two threads at once.
    """

    @property
    def path(self) -> Path:
        """Where to write; the folder is there. After `complete` it may be gone."""

    @property
    def durable(self) -> int:
        """Bytes from the beginning that would outlive this machine's process right now."""

    def flush(self) -> int:
        """Make durable what is in the file now; return `durable`.

        0 where there is no file yet. Raises `StoreUnreachable` (call again later) or
        `StoreRefused`.
        """

    def complete(self) -> StoredObject:
        """Deliver the file under its key: all of it or nothing, verified by size.

        Call it when the writer has closed the file. It can be repeated after
        `StoreUnreachable`. Raises `NothingToDeliver`, `UploadMismatch`.
        """

    def checksum(self) -> tuple[str, str]:
        """Return algorithm and hex digits of the object, once it is complete.

        `sha256` while the whole file is still here, else `crc64nvme` as its parts were sent.
        """

    def discard(self) -> None:
        """Delete the file and what was stored of it; nothing to do is fine."""


class RecordingStore(Protocol):
    """Objects by key; every method checks its keys and raises `BadKey`."""

    def grow(self, key: str, *, spool: Path, name: str) -> GrowingObject:
        """Return a file that becomes the object `key`.

        `spool` is a folder of the caller, for what must be remembered; `name` keeps several
        files for one key apart (`attempt-1`). The same three again, also in a later process,
        return the same file: to go on with it, to complete it or to discard it.
        """

    def stat(self, key: str) -> StoredObject | None:
        """Return what is known of an object, None where there is none."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` on, at most 1 MiB at a time; less at the object's end.

        Raises `ObjectMissing` at the call, not at the first chunk.
        """

    def put(
        self, key: str, data: bytes | Path, *, content_type: str = "application/octet-stream"
    ) -> StoredObject:
        """Store bytes or a file as a whole, replacing what was there; verified by size.

        Nobody ever sees half of it. Raises `UploadMismatch`.
        """

    def delete(self, key: str) -> bool:
        """Delete an object; return whether there was one."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with `prefix`, ordered by key."""

    def local_path(self, key: str) -> Path | None:
        """Return where an engine may read the object in place; None where it is not local."""

    def signed_url(self, key: str, *, expires: int, filename: str | None = None) -> str | None:
        """Return an address that serves the object for `expires` seconds; None where local."""
