"""A recording that is uploaded while it grows.

Matroska only appends, but for its head (bytes 44 to about 1,033), which is written again at the
very end. So:

1. Every full part is uploaded once it is complete, part 1 with the head as it is then.
2. At each flush the unfinished tail is uploaded as the next part number. A later upload of the
   same number takes its place, so the tail is simply overwritten until it is full.
3. At the end: the last tail, part 1 again with its final head, complete, verify.

Whatever happens in between, the parts in the ledger are a prefix of the recording.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from chronicle_storage.content_type import content_type_of
from chronicle_storage.durably import disk_errors
from chronicle_storage.errors import NothingToDeliver, StoreUnreachable, UploadMismatch
from chronicle_storage.file_slice import FileSlice
from chronicle_storage.parts import FIRST_PART, Span, spans
from chronicle_storage.ports import StoredObject
from chronicle_storage.s3_bucket import Bucket
from chronicle_storage.s3_errors import S3Answer, s3_errors
from chronicle_storage.upload_ledger import StoredPart, Upload, UploadLedger

log = structlog.get_logger(__name__)

GONE = frozenset({"NoSuchUpload"})
# A tail that grew by less than an eighth waits, so that large parts are not sent without end:
# at 8 MiB that never waits more than 1 MiB, at any size it costs at most eight times the bytes.
WORTH_SENDING = 8


class S3Growth:
    """The file `<spool>/<name><suffix of the key>` and its multipart upload."""

    def __init__(self, bucket: Bucket, key: str, *, spool: Path, name: str) -> None:
        self._bucket = bucket
        self._key = key
        self._path = spool / f"{name}{Path(key).suffix}"
        self._ledger = UploadLedger(spool / f"{name}.upload.json", bucket=bucket.name, key=key)
        with disk_errors(f"making the spool of {key}"):
            spool.mkdir(parents=True, exist_ok=True)
        self._upload = self._ledger.read()
        self._delivered: StoredObject | None = None

    @property
    def path(self) -> Path:
        """Where to write."""
        return self._path

    @property
    def durable(self) -> int:
        """Bytes in parts that the bucket confirmed."""
        if self._delivered is not None:
            return self._delivered.size
        return 0 if self._upload is None else self._upload.durable

    def flush(self) -> int:
        """Upload the full parts and the tail."""
        if (size := self._size()) > 0 and self._delivered is None:
            self._anew_if_gone(lambda: self._send(size, final=False))
        return self.durable

    def complete(self) -> StoredObject:
        """Upload what is missing, then make it one object; the file stays in the spool."""
        if self._delivered is not None:
            return self._delivered
        if (size := self._size()) == 0:
            raise NothingToDeliver(
                f"{self._key}: {self._path.name} is missing or empty; see the writer's log"
            )
        if size < FIRST_PART:
            self._put(size)
        else:
            self._anew_if_gone(lambda: self._finish(size))
        self._delivered = self._verified(size)
        self._abort()
        return self._delivered

    def discard(self) -> None:
        """Abort the upload, delete the file."""
        self._abort()
        with disk_errors(f"discarding {self._path.name}"):
            self._path.unlink(missing_ok=True)

    def _size(self) -> int:
        with disk_errors(f"looking at {self._path.name}"):
            return self._path.stat().st_size if self._path.is_file() else 0

    def _anew_if_gone(self, action: Callable[[], object]) -> None:
        """Act; if the bucket does not know the upload any more, begin a new one and act again."""
        try:
            action()
        except S3Answer:
            assert self._upload is not None
            if self._was_completed(self._upload):
                return
            log.warning("upload_gone", key=self._key, upload_id=self._upload.upload_id)
            self._upload = None
            self._ledger.forget()
            try:
                action()
            except S3Answer as answer:
                raise StoreUnreachable(
                    f"{self._key}: the bucket lost two uploads in a row ({answer.code}); try again"
                ) from answer

    def _was_completed(self, upload: Upload) -> bool:
        """Return whether the upload is gone because it became the object."""
        found = self._bucket.head(self._key)
        return found is not None and found["ETag"].strip('"') == upload.etag

    def _open(self, size: int) -> Upload:
        if self._upload is not None and self._upload.durable > size:
            # The writer began the file anew: nothing that was uploaded belongs to it.
            log.warning("spool_shrank", key=self._key, size=size, durable=self._upload.durable)
            self._abort()
        if self._upload is None:
            answer = self._bucket.write(
                f"beginning the upload of {self._key}",
                lambda: self._bucket.client.create_multipart_upload(
                    Bucket=self._bucket.name,
                    Key=self._key,
                    ContentType=content_type_of(self._key),
                ),
            )
            self._upload = Upload(
                bucket=self._bucket.name, key=self._key, upload_id=answer["UploadId"]
            )
            self._ledger.write(self._upload)
        return self._upload

    def _send(self, size: int, *, final: bool) -> Upload:
        upload = self._open(size)
        for span in spans(size):
            stored = upload.parts.get(span.number)
            if stored is not None and stored.length == span.length:
                continue
            if stored is not None and not (span.full or final):
                grown = span.length - stored.length
                if grown * WORTH_SENDING < span.length:
                    continue
            self._send_part(upload, span)
        return upload

    def _send_part(self, upload: Upload, span: Span) -> None:
        with (
            disk_errors(f"reading {self._path.name}"),
            FileSlice(self._path, span.start, span.length) as body,
            s3_errors(f"uploading part {span.number} of {self._key}", expected=GONE),
        ):
            answer = self._bucket.client.upload_part(
                Bucket=self._bucket.name,
                Key=self._key,
                UploadId=upload.upload_id,
                PartNumber=span.number,
                Body=body,
            )
        upload.parts[span.number] = StoredPart(
            etag=answer["ETag"], length=span.length, checksum=answer.get("ChecksumCRC32")
        )
        self._ledger.write(upload)

    def _finish(self, size: int) -> None:
        upload = self._send(size, final=True)
        self._send_part(upload, next(spans(size)))  # the head has its final bytes only now
        parts = [
            {"PartNumber": number, "ETag": part.etag}
            | ({"ChecksumCRC32": part.checksum} if part.checksum else {})
            for number, part in sorted(upload.parts.items())
        ]
        with s3_errors(f"completing {self._key}", expected=GONE):
            self._bucket.client.complete_multipart_upload(
                Bucket=self._bucket.name,
                Key=self._key,
                UploadId=upload.upload_id,
                MultipartUpload={"Parts": parts},
            )

    def _put(self, size: int) -> None:
        def send() -> None:
            with FileSlice(self._path, 0, size) as body:
                self._bucket.client.put_object(
                    Bucket=self._bucket.name,
                    Key=self._key,
                    Body=body,
                    ContentType=content_type_of(self._key),
                )

        with disk_errors(f"reading {self._path.name}"):
            self._bucket.write(f"putting {self._key}", send)

    def _verified(self, size: int) -> StoredObject:
        found = self._bucket.head(self._key)
        if found is None or found["ContentLength"] != size:
            has = "nothing" if found is None else f"{found['ContentLength']} bytes"
            raise UploadMismatch(f"{self._key}: {size} bytes were uploaded, the bucket has {has}")
        return StoredObject(self._key, size, found["ETag"].strip('"'), found["LastModified"])

    def _abort(self) -> None:
        """Forget the upload; the bucket frees its parts, unless it was completed."""
        if self._upload is None:
            return
        try:
            with s3_errors(f"aborting the upload of {self._key}", expected=GONE):
                self._bucket.client.abort_multipart_upload(
                    Bucket=self._bucket.name, Key=self._key, UploadId=self._upload.upload_id
                )
        except S3Answer:
            pass  # completed, or aborted before
        self._upload = None
        self._ledger.forget()
