"""The port: what a recording store does, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True)
class Unfinished:
    """What was stored of an object that grew, and was neither completed nor discarded.

    `id` is the growing object's own; `name` tells several of a key apart, and sorts by time
    where the store does not know the names that their makers gave. `derived` ones are copies of
    others (see `grow`). `size` is in bytes, None where nobody has counted yet.
    """

    key: str
    id: str
    name: str
    begun_at: datetime
    size: int | None = None
    derived: bool = False


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

    @property
    def id(self) -> str | None:
        """What `unfinished` calls it; None while nothing is stored."""

    @property
    def is_here(self) -> bool:
        """Whether the whole file can be read; else parts of it are in the store alone."""

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        """Ranges of bytes (start, end) that read as zeros: nobody has them any more.

        The store lost an upload after its parts had been freed here.
        """

    def flush(self, *, tail: bool = True, upto: int | None = None) -> int:
        """Make durable what is in the file now; return `durable`.

        Without `tail` only what need not be stored again when more has come. What lies beyond
        the first `upto` bytes is not sent anywhere by this. 0 where there is no file yet.
        Raises `StoreUnreachable` (call again later) or `StoreRefused`.
        """

    def prepare(self) -> None:
        """Store all of it, so that `complete` takes a moment; it need not be called.

        Call it when the writer has closed the file: it may be looked at meanwhile, but not
        changed any more. Raises as `flush` does.
        """

    def complete(self) -> StoredObject:
        """Deliver the file under its key: all of it or nothing, verified by size.

        Call it when the writer has closed the file. It can be repeated after
        `StoreUnreachable`. Raises `NothingToDeliver`, `UploadMismatch`, `Superseded`.
        """

    def set_aside(self) -> StoredObject:
        """Complete it beside its key, as `salvage` does, so that it can be read and joined."""

    def checksum(self) -> tuple[str, str]:
        """Return algorithm and hex digits of the object, once it is complete.

        `sha256` while the whole file is still here, else `crc64nvme` as its parts were sent.
        """

    def discard(self) -> None:
        """Delete the file and what was stored of it; nothing to do is fine."""


class RecordingStore(Protocol):
    """Objects by key; every method checks its keys and raises `BadKey`."""

    def grow(
        self, key: str, *, spool: Path, name: str, turn: int = 0, derived: bool = False
    ) -> GrowingObject:
        """Return a file that becomes the object `key`.

        `spool` is a folder of the caller, for what must be remembered; `name` keeps several
        files for one key apart (`attempt-1`). The same three again, also in a later process,
        return the same file: to go on with it, to complete it or to discard it. `turn` is the
        attempt that asks (see `take_over`); a `derived` one is made of others of its key and
        never worth salvaging.
        """

    def take_over(self, key: str, turn: int) -> None:
        """From now on, what grows in an earlier turn cannot become `key`.

        Whoever still lives there gets `Superseded`, once what is unfinished has been salvaged
        or aborted.
        """

    def unfinished(self, key: str) -> list[Unfinished]:
        """Return what was begun under `key`, by whomever, in the order of its beginning."""

    def salvage(self, one: Unfinished) -> StoredObject | None:
        """Complete what there is as `aside_key(key, name)`; None where there is nothing.

        Can be repeated, also after a crash in the middle of it.
        """

    def abort(self, one: Unfinished) -> None:
        """Delete what was stored of it."""

    def leftovers(self, prefix: str, *, before: datetime) -> Iterator[Unfinished]:
        """Yield what is unfinished under any key with this prefix and idle since `before`.

        What nobody has touched for days is nobody's any more: `abort` frees its place. Its
        `begun_at` is when it was touched last.
        """

    def aside(self, key: str) -> list[StoredObject]:
        """Return what was salvaged or set aside, ordered by name."""

    def forget(self, key: str) -> None:
        """Delete what was set aside of `key` and what else its attempts left beside it."""

    def stat(self, key: str) -> StoredObject | None:
        """Return what is known of an object, None where there is none."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` on, at most 1 MiB at a time; less at the object's end.

        Raises `ObjectMissing` at the call, not at the first chunk.
        """

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        lasting: bool = True,
    ) -> StoredObject:
        """Store bytes or a file as a whole, replacing what was there; verified by size.

        Nobody ever sees half of it. What need not be `lasting` may be lost in a power cut, and
        is then as it was before, or empty. Raises `UploadMismatch`.
        """

    def delete(self, key: str) -> bool:
        """Delete an object; return whether there was one."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with `prefix`, ordered by key."""

    def local_path(self, key: str) -> Path | None:
        """Return where an engine may read the object in place; None where it is not local."""

    def signed_url(self, key: str, *, expires: int, filename: str | None = None) -> str | None:
        """Return an address that serves the object for `expires` seconds; None where local."""
