"""Choosing the store by the settings."""

from __future__ import annotations

from chronicle_storage.local import LocalStore
from chronicle_storage.ports import RecordingStore
from chronicle_storage.settings import StorageSettings


def open_store(settings: StorageSettings) -> RecordingStore:
    """Return the store that the settings name; nothing is connected or created yet."""
    return LocalStore(settings.recordings)
