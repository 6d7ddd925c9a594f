"""The store in an S3 bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from chronicle_storage.errors import ObjectMissing, StoreUnreachable, UploadMismatch
from chronicle_storage.file_slice import FileSlice
from chronicle_storage.keys import check_key, check_name, check_prefix
from chronicle_storage.ports import CHUNK, GrowingObject, StoredObject, Unfinished
from chronicle_storage.s3_attempts import S3Attempts, leftovers
from chronicle_storage.s3_bucket import Bucket
from chronicle_storage.s3_errors import S3Answer, s3_errors
from chronicle_storage.s3_growth import Growth, S3Growth
from chronicle_storage.s3_turns import Turns

TRIES = 3
# Above this, one request would be too much to lose; the limit of S3 itself is 5 GiB.
LARGEST_PLAIN_PUT = 64 * 1024 * 1024


class S3Store:
    """A bucket; the credentials are boto3's business and never pass through here.

    `keep` is how many of a growing object's last bytes stay in the spool, stored or not; None is
    all of them. What is not stored yet stays however much it is.
    """

    def __init__(self, bucket: Bucket, *, keep: int | None = None) -> None:
        self._bucket = bucket
        self._keep = keep

    def grow(
        self, key: str, *, spool: Path, name: str, turn: int = 0, derived: bool = False
    ) -> GrowingObject:
        """Return a file in the spool whose parts are uploaded while it grows."""
        check_key(key)
        growth = Growth(key, check_name(name), turn=turn, derived=derived)
        return S3Growth(self._bucket, growth, spool=spool, keep=self._keep)

    def take_over(self, key: str, turn: int) -> None:
        """Put the turn beside the object."""
        Turns(self._bucket, check_key(key)).take_over(turn)

    def unfinished(self, key: str) -> list[Unfinished]:
        """Return open uploads and salvages that broke off."""
        return S3Attempts(self._bucket, check_key(key)).unfinished()

    def salvage(self, one: Unfinished) -> StoredObject | None:
        """Complete an upload and move the object beside."""
        return S3Attempts(self._bucket, check_key(one.key)).salvage(one)

    def abort(self, one: Unfinished) -> None:
        """Abort an upload."""
        S3Attempts(self._bucket, check_key(one.key)).abort(one)

    def leftovers(self, prefix: str, *, before: datetime) -> Iterator[Unfinished]:
        """Yield uploads that got no part since `before`."""
        return leftovers(self._bucket, check_prefix(prefix), before)

    def aside(self, key: str) -> list[StoredObject]:
        """Return the objects that were set aside."""
        return S3Attempts(self._bucket, check_key(key)).aside()

    def forget(self, key: str) -> None:
        """Delete them; the turn stays, a lost attempt may wake up days later."""
        S3Attempts(self._bucket, check_key(key)).forget()

    def stat(self, key: str) -> StoredObject | None:
        """Return what a HEAD request says."""
        found = self._bucket.head(check_key(key))
        return None if found is None else _stored(key, found, size=found["ContentLength"])

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the object's bytes; a broken connection is taken up again where it broke."""
        check_key(key)
        if length is not None and length <= 0:
            return iter(())
        end = None if length is None else start + length - 1
        answer = self._get(key, start, end)
        return iter(()) if answer is None else self._chunks(key, answer, start, end)

    def _get(
        self, key: str, start: int, end: int | None, etag: str | None = None
    ) -> dict[str, Any] | None:
        """Return the answer to a GET; None where the object ends before `start`."""
        options = {} if etag is None else {"IfMatch": etag}
        if start or end is not None:
            options["Range"] = f"bytes={start}-{'' if end is None else end}"
        try:
            with s3_errors(f"reading {key}", expected=self._bucket.missing | {"InvalidRange"}):
                answer: dict[str, Any] = self._bucket.client.get_object(
                    Bucket=self._bucket.name, Key=key, **options
                )
        except S3Answer as answered:
            if answered.code == "InvalidRange":
                return None
            raise ObjectMissing(key) from None
        return answer

    def _chunks(
        self, key: str, answer: dict[str, Any], start: int, end: int | None
    ) -> Iterator[bytes]:
        at, tries, etag = start, 0, answer["ETag"]
        body = answer["Body"]
        while True:
            try:
                with s3_errors(f"reading {key} at byte {at}"):
                    chunk = body.read(CHUNK)
            except StoreUnreachable:
                body.close()
                tries += 1
                if tries == TRIES:
                    raise
                again = self._get(key, at, end, etag)
                if again is None:
                    return
                body = again["Body"]
                continue
            if not chunk:
                body.close()
                return
            at += len(chunk)
            tries = 0
            yield chunk

    def put(
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        lasting: bool = True,  # noqa: ARG002 - all of it is
    ) -> StoredObject:
        """Put in one request, or by boto3's own multipart where a file is large."""
        check_key(key)
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        place = {"Bucket": self._bucket.name, "Key": key}

        def send() -> None:
            client = self._bucket.client
            if isinstance(data, bytes):
                client.put_object(**place, Body=data, ContentType=content_type)
            elif size <= LARGEST_PLAIN_PUT:
                with FileSlice(data, 0, size) as body:
                    client.put_object(**place, Body=body, ContentType=content_type)
            else:
                kind = {"ContentType": content_type}
                client.upload_file(str(data), **place, ExtraArgs=kind)

        self._bucket.write(f"putting {key}", send)
        stored = self.stat(key)
        if stored is None or stored.size != size:
            raise UploadMismatch(f"{key}: {size} bytes were put, the bucket has {stored}")
        return stored

    def delete(self, key: str) -> bool:
        """Delete the object if a HEAD request finds it."""
        if self.stat(key) is None:
            return False
        with s3_errors(f"deleting {key}"):
            self._bucket.client.delete_object(Bucket=self._bucket.name, Key=key)
        return True

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield what ListObjectsV2 returns, page by page."""
        check_prefix(prefix)
        for found in self._bucket.objects(prefix):
            yield _stored(found["Key"], found, size=found["Size"])

    def local_path(self, key: str) -> Path | None:
        """Return None: an object of a bucket lies in no folder."""
        check_key(key)
        return None

    def signed_url(self, key: str, *, expires: int, filename: str | None = None) -> str | None:
        """Return a presigned GET; `filename` is what a browser saves it as."""
        wanted = {"Bucket": self._bucket.name, "Key": check_key(key)}
        if filename is not None:
            safe = re.sub(r"[^A-Za-z0-9._-]+", "-", filename)
            wanted["ResponseContentDisposition"] = f'attachment; filename="{safe}"'
        with s3_errors(f"signing {key}"):
            url: str = self._bucket.client.generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=expires
            )
        return url


def _stored(key: str, found: dict[str, Any], *, size: int) -> StoredObject:
    return StoredObject(
        key=key, size=size, etag=found["ETag"].strip('"'), modified_at=found["LastModified"]
    )
