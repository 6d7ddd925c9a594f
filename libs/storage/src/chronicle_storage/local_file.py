"""Files of the local store as objects."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from chronicle_storage.durably import disk_errors
from chronicle_storage.ports import CHUNK, StoredObject


def stat_file(key: str, path: Path) -> StoredObject | None:
    """Return the object that a file is, None where there is no file."""
    with disk_errors(f"looking at {key}"):
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return StoredObject(
        key=key,
        size=found.st_size,
        etag=f"{found.st_mtime_ns:x}-{found.st_size:x}",
        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def read_file(path: Path, start: int, length: int | None) -> Iterator[bytes]:
    """Yield the bytes from `start` on, `length` of them at most, a chunk at a time."""
    left = length
    with disk_errors(f"reading {path.name}"), path.open("rb") as file:
        file.seek(start)
        while left is None or left > 0:
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk
