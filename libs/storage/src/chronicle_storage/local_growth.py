"""A recording that grows beside its final place and is renamed when it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chronicle_storage.checksum import sha256_of_path
from chronicle_storage.durably import disk_errors, rename_durably, sync_file
from chronicle_storage.errors import NothingToDeliver, UploadMismatch
from chronicle_storage.local_attempts import LocalAttempts
from chronicle_storage.local_file import stat_file
from chronicle_storage.ports import StoredObject


class LocalGrowth:
    """The file `<key>.<name>.part`, in the object's own folder and so in its file system."""

    def __init__(self, key: str, place: Path, name: str, *, turn: int, derived: bool) -> None:
        self._key = key
        self._place = place
        self._name = name
        self._turn = turn
        self._attempts = LocalAttempts(key, place)
        self._path = self._attempts.growing(name, derived=derived)
        self._durable = 0
        self._delivered: StoredObject | None = None
        with disk_errors(f"making the folder of {key}"):
            place.parent.mkdir(parents=True, exist_ok=True)

    @property
    def path(self) -> Path:
        """Where to write."""
        return self._path

    @property
    def durable(self) -> int:
        """Bytes that the disk confirmed."""
        return self._durable

    @property
    def id(self) -> str | None:
        """The name of the file."""
        return self._path.name if self._path.exists() else None

    @property
    def is_here(self) -> bool:
        """Always: the file is all there is."""
        return True

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        """Never any: nothing was taken out of the file."""
        return ()

    def flush(self, *, tail: bool = True, upto: int | None = None) -> int:  # noqa: ARG002 - port
        """Bring the file to the disk; return its size before that."""
        with disk_errors(f"flushing {self._path.name}"):
            if self._path.is_file():
                size = self._path.stat().st_size
                sync_file(self._path)
                self._durable = size
        return self._durable

    def prepare(self) -> None:
        """Bring the file to the disk."""
        self.flush()

    def complete(self) -> StoredObject:
        """Rename the file to its place; after it returns, a power cut does not undo it."""
        if self._delivered is not None:
            return self._delivered
        self._attempts.check(self._turn)
        with disk_errors(f"delivering {self._key}"):
            if not self._path.is_file() or (size := self._path.stat().st_size) == 0:
                raise NothingToDeliver(
                    f"{self._key}: {self._path.name} is missing or empty; see the writer's log"
                )
            sync_file(self._path)
            rename_durably(self._path, self._place)
        stored = stat_file(self._key, self._place)
        if stored is None or stored.size != size:
            raise UploadMismatch(f"{self._key}: {size} bytes were renamed, there are now {stored}")
        self._durable = size
        self._delivered = stored
        return stored

    def set_aside(self) -> StoredObject:
        """Rename the file to a place beside."""
        stored = self._attempts.set_aside(self._path, self._name)
        if stored is None:
            raise NothingToDeliver(f"{self._key}: {self._path.name} is missing or empty")
        return stored

    def checksum(self) -> tuple[str, str]:
        """Return the SHA-256 of the object."""
        path = self._path if self._delivered is None else self._place
        with disk_errors(f"reading {path.name}"):
            return "sha256", sha256_of_path(path)

    def discard(self) -> None:
        """Delete the file."""
        with disk_errors(f"discarding {self._path.name}"):
            self._path.unlink(missing_ok=True)
        self._durable = 0
