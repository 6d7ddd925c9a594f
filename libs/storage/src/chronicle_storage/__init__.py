"""Recordings as growing objects, in S3 or in a local folder, behind one port."""

from chronicle_storage.checksum import sha256_of_object, sha256_of_path
from chronicle_storage.durably import write_atomically
from chronicle_storage.errors import (
    BadKey,
    NothingToDeliver,
    ObjectMissing,
    StoreError,
    StoreRefused,
    StoreUnreachable,
    Superseded,
    UploadMismatch,
)
from chronicle_storage.keys import aside_key
from chronicle_storage.opening import open_store
from chronicle_storage.ports import GrowingObject, RecordingStore, StoredObject, Unfinished
from chronicle_storage.settings import StorageSettings

__all__ = [
    "BadKey",
    "GrowingObject",
    "NothingToDeliver",
    "ObjectMissing",
    "RecordingStore",
    "StorageSettings",
    "StoreError",
    "StoreRefused",
    "StoreUnreachable",
    "StoredObject",
    "Superseded",
    "Unfinished",
    "UploadMismatch",
    "aside_key",
    "open_store",
    "sha256_of_object",
    "sha256_of_path",
    "write_atomically",
]
