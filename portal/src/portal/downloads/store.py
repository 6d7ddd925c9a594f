"""The recording store of this process."""

from __future__ import annotations

import functools

from chronicle_storage import RecordingStore, open_store

from portal.configuration import portal_settings


@functools.cache
def recording_store() -> RecordingStore:
    """Return the store that the settings name; opened at the first download."""
    return open_store(portal_settings())
