"""SHA-256 of recordings, in bounded memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

from chronicle_storage.ports import CHUNK, RecordingStore


def sha256_of_path(path: Path) -> str:
    """Return the digest of a file as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_object(store: RecordingStore, key: str) -> str:
    """Return the digest of a stored object as 64 hex digits; raises `ObjectMissing`."""
    digest = hashlib.sha256()
    for chunk in store.read(key):
        digest.update(chunk)
    return digest.hexdigest()
