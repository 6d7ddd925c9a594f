"""Choosing the store by the settings."""

from __future__ import annotations

from chronicle_storage.local import LocalStore
from chronicle_storage.ports import RecordingStore
from chronicle_storage.settings import StorageSettings

# The last bytes of a growing object that stay in its spool: shorter recordings are whole on the
# disk to the end, and longer ones take this much of it and part 1; more only where more than
# this is not stored yet.
KEEP = 48 * 1024 * 1024


def open_store(settings: StorageSettings) -> RecordingStore:
    """Return the store that the settings name; nothing is connected or created yet."""
    if settings.bucket is None:
        return LocalStore(settings.recordings)
    # boto3 takes 30 MB and a third of a second: who records into a folder does not pay for it.
    from chronicle_storage.s3 import S3Store  # noqa: PLC0415
    from chronicle_storage.s3_bucket import Bucket  # noqa: PLC0415

    bucket = Bucket(
        settings.bucket,
        region=settings.region,
        endpoint=settings.s3_endpoint,
        provision=settings.may_create_bucket,
    )
    return S3Store(bucket, keep=KEEP)
