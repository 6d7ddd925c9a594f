"""The store in a folder of this machine: an object's path is root/key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from chronicle_storage.durably import disk_errors, drafts_of, write_atomically
from chronicle_storage.errors import ObjectMissing, UploadMismatch
from chronicle_storage.keys import GROWING, check_key, check_name, check_prefix
from chronicle_storage.local_attempts import LocalAttempts, leftovers
from chronicle_storage.local_file import read_file, stat_file
from chronicle_storage.local_growth import LocalGrowth
from chronicle_storage.ports import GrowingObject, StoredObject, Unfinished


class LocalStore:
    """A folder; its objects are what other programs (an engine, a player) read in place."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def _place(self, key: str) -> Path:
        return self._root / check_key(key)

    def grow(
        self,
        key: str,
        *,
        spool: Path,  # noqa: ARG002 - port
        name: str,
        turn: int = 0,
        derived: bool = False,
    ) -> GrowingObject:
        """Return a file beside the object's final place; the spool is not needed."""
        place = self._place(key)
        return LocalGrowth(key, place, check_name(name), turn=turn, derived=derived)

    def _attempts(self, key: str) -> LocalAttempts:
        return LocalAttempts(key, self._place(key))

    def take_over(self, key: str, turn: int) -> None:
        """Write down the turn beside the object's place."""
        self._attempts(key).take_over(turn)

    def unfinished(self, key: str) -> list[Unfinished]:
        """Return the files that still grow."""
        return self._attempts(key).unfinished()

    def salvage(self, one: Unfinished) -> StoredObject | None:
        """Rename the growing file."""
        place = self._place(one.key).with_name(one.id)
        return self._attempts(one.key).set_aside(place, one.name)

    def abort(self, one: Unfinished) -> None:
        """Delete the growing file."""
        self._attempts(one.key).abort(one)

    def leftovers(self, prefix: str, *, before: datetime) -> Iterator[Unfinished]:
        """Yield files that nobody has written to since `before`, drafts of objects too."""
        return leftovers(self._root, check_prefix(prefix), before)

    def aside(self, key: str) -> list[StoredObject]:
        """Return the files that were set aside."""
        return self._attempts(key).aside()

    def forget(self, key: str) -> None:
        """Delete them, and the turn."""
        self._attempts(key).forget()

    def stat(self, key: str) -> StoredObject | None:
        """Return what the file system knows; the etag is made of time and size."""
        return stat_file(key, self._place(key))

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of the file from `start` on."""
        place = self._place(key)
        if not place.is_file():
            raise ObjectMissing(key)
        return read_file(place, start, length)

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002 - files have no type
        lasting: bool = True,
    ) -> StoredObject:
        """Write beside the place, then rename."""
        place = self._place(key)
        with disk_errors(f"putting {key}"):
            size = len(data) if isinstance(data, bytes) else data.stat().st_size
            chunks = [data] if isinstance(data, bytes) else read_file(data, 0, None)
            write_atomically(place, chunks, lasting=lasting)
        stored = stat_file(key, place)
        if stored is None or stored.size != size:
            raise UploadMismatch(f"{key}: {size} bytes were put, there are now {stored}")
        return stored

    def delete(self, key: str) -> bool:
        """Unlink the file, and what somebody was killed over writing it; its folder stays."""
        place = self._place(key)
        with disk_errors(f"deleting {key}"):
            for draft in drafts_of(place):
                draft.unlink(missing_ok=True)
            try:
                place.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield whole objects only; what still grows is not one."""
        folder = check_prefix(prefix).rpartition("/")[0]
        keys = sorted(
            key
            for at, _, names in os.walk(self._root / folder)
            for name in names
            if not name.endswith(GROWING)
            if (key := (Path(at) / name).relative_to(self._root).as_posix()).startswith(prefix)
        )
        for key in keys:
            # A file may be deleted while we walk.
            if (found := stat_file(key, self._root / key)) is not None:
                yield found

    def local_path(self, key: str) -> Path | None:
        """Return root/key."""
        return self._place(key)

    def signed_url(self, key: str, *, expires: int, filename: str | None = None) -> str | None:  # noqa: ARG002 - port
        """Return None: a folder has no address; the portal serves its files."""
        check_key(key)
        return None
