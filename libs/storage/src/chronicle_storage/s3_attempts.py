"""What the attempts at one object leave in the bucket, and how it is saved.

An upload can only become the object that it was begun for. So, to have it beside:

1. `<key>.<name>.salvage` says what is about to be done, with the parts and the etag to come.
2. The upload is completed, under its key.
3. The object is copied beside, within the bucket, and deleted from its key.
4. `<key>.<name>.salvage` is deleted.

Whoever comes after a crash in between finds 1 and goes on. Nothing says `Uploaded` before the
recording is whole, so nobody takes the object of step 2 for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

import structlog
from boto3.s3.transfer import TransferConfig

from chronicle_storage.errors import UploadMismatch
from chronicle_storage.keys import aside_key
from chronicle_storage.ports import StoredObject, Unfinished
from chronicle_storage.s3_bucket import Bucket
from chronicle_storage.s3_errors import S3Answer, s3_errors
from chronicle_storage.s3_turns import Turns
from chronicle_storage.s3_uploads import Uploads
from chronicle_storage.upload_ledger import Upload

log = structlog.get_logger(__name__)

SALVAGE = ".salvage"
COPIED = 512 * 1024 * 1024  # bytes in one request


class S3Attempts:
    """Uploads of one key, and the objects that they became beside it."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._suffix = PurePosixPath(key).suffix
        self._uploads = Uploads(bucket)

    def unfinished(self) -> list[Unfinished]:
        """Return open uploads, and salvages that broke off."""
        derived = Turns(self._bucket, self._key).read().derived
        found: dict[str, Unfinished] = {}
        for one in self._bucket.objects(f"{self._key}."):
            if one["Key"].endswith(SALVAGE):
                name = one["Key"][len(self._key) + 1 : -len(SALVAGE)]
                plan = self._plan(name)
                if plan is not None:
                    found[plan.upload_id] = Unfinished(
                        self._key, plan.upload_id, name, one["LastModified"], plan.durable
                    )
        for key, upload_id, begun_at in self._uploads.open(self._key):
            if key == self._key and upload_id not in found:
                name = _name(upload_id, begun_at)
                try:
                    size = self._uploads.found(key, upload_id).durable
                except S3Answer:
                    continue  # completed or aborted since it was listed
                found[upload_id] = Unfinished(
                    key, upload_id, name, begun_at, size, derived=upload_id in derived
                )
        return sorted(found.values(), key=lambda one: one.name)

    def salvage(self, one: Unfinished) -> StoredObject | None:
        """Set aside what the bucket has of an upload."""
        upload = self._plan(one.name)
        if upload is None:
            try:
                upload = self._uploads.found(self._key, one.id)
            except S3Answer:
                upload = None  # gone since it was listed
        if upload is not None and not upload.parts:
            self._uploads.abort(upload)
            upload = None
        return self._head(one.name) if upload is None else self.set_aside(upload, one.name)

    def abort(self, one: Unfinished) -> None:
        """Abort the upload."""
        self._uploads.abort(Upload(bucket=self._bucket.name, key=self._key, upload_id=one.id))
        self._bucket.delete(f"{self._key}.{one.name}{SALVAGE}")

    def set_aside(self, upload: Upload, name: str) -> StoredObject | None:
        """Complete an upload and move the object beside; can be repeated."""
        self._bucket.write(
            f"noting the salvage of {self._key}",
            lambda: self._bucket.client.put_object(
                Bucket=self._bucket.name,
                Key=f"{self._key}.{name}{SALVAGE}",
                Body=upload.model_dump_json().encode(),
            ),
        )
        try:
            etag: str | None = self._uploads.complete(upload)
        except S3Answer:
            etag = upload.completed or upload.etag  # completed before, or aborted by somebody
        found = self._bucket.head(self._key)
        if found is not None and found["ETag"].strip('"') == etag:
            self._move(name)
        stored = self._head(name)
        log.info(
            "attempt_set_aside", key=self._key, name=name, size=None if not stored else stored.size
        )
        self._bucket.delete(f"{self._key}.{name}{SALVAGE}")
        return stored

    def aside(self) -> list[StoredObject]:
        """Return what was set aside, ordered by name."""
        return [
            StoredObject(one["Key"], one["Size"], one["ETag"].strip('"'), one["LastModified"])
            for one in self._bucket.objects(f"{self._key}.")
            if one["Key"].endswith(self._suffix)
        ]

    def forget(self) -> None:
        """Delete what was set aside; the turn stays."""
        for one in self._bucket.objects(f"{self._key}."):
            if one["Key"].endswith((self._suffix, SALVAGE)):
                self._bucket.delete(one["Key"])

    def _plan(self, name: str) -> Upload | None:
        try:
            with s3_errors(f"reading a salvage of {self._key}", expected=self._bucket.missing):
                answer = self._bucket.client.get_object(
                    Bucket=self._bucket.name, Key=f"{self._key}.{name}{SALVAGE}"
                )
                return Upload.model_validate_json(answer["Body"].read())
        except S3Answer:
            return None

    def _move(self, name: str) -> None:
        target = aside_key(self._key, name)
        place = {"Bucket": self._bucket.name, "Key": self._key}
        with s3_errors(f"copying {self._key} beside"):
            # The bytes do not leave the bucket; in parts, for one request takes 5 GiB at most.
            self._bucket.client.copy(
                place,
                self._bucket.name,
                target,
                Config=TransferConfig(multipart_threshold=COPIED, multipart_chunksize=COPIED),
            )
        original, copied = self._bucket.head(self._key), self._head(name)
        if original is None or copied is None or copied.size != original["ContentLength"]:
            raise UploadMismatch(f"{target} is no whole copy of {self._key}; both are left as is")
        self._bucket.delete(self._key)

    def _head(self, name: str) -> StoredObject | None:
        key = aside_key(self._key, name)
        found = self._bucket.head(key)
        if found is None:
            return None
        etag = found["ETag"].strip('"')
        return StoredObject(key, found["ContentLength"], etag, found["LastModified"])


def leftovers(bucket: Bucket, prefix: str, before: datetime) -> Iterator[Unfinished]:
    """Yield the uploads of a bucket that got no part since `before`, however old they are."""
    uploads = Uploads(bucket)
    for key, upload_id, begun_at in uploads.open(prefix):
        try:
            touched_at, size = uploads.touched(key, upload_id)
        except S3Answer:
            continue  # completed or aborted since it was listed
        if (touched_at or begun_at) < before:
            name = _name(upload_id, begun_at)
            yield Unfinished(key, upload_id, name, touched_at or begun_at, size)


def _name(upload_id: str, begun_at: datetime) -> str:
    mark = hashlib.sha256(upload_id.encode()).hexdigest()[:8]
    return f"lost-{begun_at:%Y%m%dT%H%M%S}-{mark}"
