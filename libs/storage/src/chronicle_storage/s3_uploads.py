"""Multipart uploads of a bucket: the requests, each with its checksums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import count
from pathlib import Path

from chronicle_storage.content_type import content_type_of
from chronicle_storage.crc64 import as_header, combined_crc64, crc64_of_slice, from_header
from chronicle_storage.durably import disk_errors
from chronicle_storage.errors import UploadMismatch
from chronicle_storage.file_slice import FileSlice
from chronicle_storage.parts import Span, part_size
from chronicle_storage.s3_bucket import NO_BUCKET, Bucket
from chronicle_storage.s3_errors import S3Answer, s3_errors
from chronicle_storage.upload_ledger import StoredPart, Upload

GONE = frozenset({"NoSuchUpload"})
AT_ONCE = 3  # parts
ALGORITHM, WHOLE = "CRC64NVME", "FULL_OBJECT"


class Uploads:
    """What can be done with an upload; an upload that is gone raises `S3Answer`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def begin(self, key: str) -> Upload:
        """Open an upload, with a checksum of the whole object where the endpoint makes one."""
        asked = (
            {"ChecksumAlgorithm": ALGORITHM, "ChecksumType": WHOLE} if self._bucket.crc64 else {}
        )
        answer = self._bucket.write(
            f"beginning the upload of {key}",
            lambda: self._bucket.client.create_multipart_upload(
                Bucket=self._bucket.name, Key=key, ContentType=content_type_of(key), **asked
            ),
        )
        checks = answer.get("ChecksumAlgorithm") == ALGORITHM
        return Upload(
            bucket=self._bucket.name,
            key=key,
            upload_id=answer["UploadId"],
            checks_parts=checks,
            checks_whole=checks and answer.get("ChecksumType") == WHOLE,
        )

    def send(self, upload: Upload, due: Sequence[Span], path: Path) -> Iterator[Span]:
        """Send parts, in place of earlier ones of their numbers; yield each once it is noted.

        Some at once: while one is hashed or confirmed, another has the uplink. None of them is
        in memory. Raises for the first that fails, when those that were under way are through.
        """
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="part") as senders:
            sending = [(span, senders.submit(self._send, upload, span, path)) for span in due]
            try:
                for span, one in sending:
                    upload.parts[span.number] = one.result()
                    yield span
            finally:
                senders.shutdown(cancel_futures=True)

    def _send(self, upload: Upload, span: Span, path: Path) -> StoredPart:
        with (
            disk_errors(f"reading {path.name}"),
            FileSlice(path, span.start, span.length) as body,
            s3_errors(f"uploading part {span.number} of {upload.key}", expected=GONE),
        ):
            crc64 = crc64_of_slice(path, span.start, span.length)
            checked = {"ChecksumCRC64NVME": as_header(crc64)} if upload.checks_parts else {}
            answer = self._bucket.client.upload_part(
                Bucket=self._bucket.name,
                Key=upload.key,
                UploadId=upload.upload_id,
                PartNumber=span.number,
                Body=body,
                **checked,
            )
        return StoredPart(
            etag=answer["ETag"],
            length=span.length,
            checksum=answer.get("ChecksumCRC32"),
            crc64=crc64,
        )

    def complete(self, upload: Upload) -> str:
        """Make the parts one object; return its etag. The store verifies the checksum.

        Raises `UploadMismatch` where the store tells another checksum than ours.
        """
        whole = crc64_of_upload(upload)
        checked = (
            {"ChecksumCRC64NVME": as_header(whole), "ChecksumType": WHOLE}
            if upload.checks_whole and whole is not None
            else {}
        )
        with s3_errors(f"completing {upload.key}", expected=GONE):
            answer = self._bucket.client.complete_multipart_upload(
                Bucket=self._bucket.name,
                Key=upload.key,
                UploadId=upload.upload_id,
                MultipartUpload={"Parts": [_named(*one) for one in sorted(upload.parts.items())]},
                **checked,
            )
        theirs = answer.get("ChecksumCRC64NVME") if answer.get("ChecksumType") == WHOLE else None
        if theirs is not None and whole is not None and theirs != as_header(whole):
            raise UploadMismatch(
                f"{upload.key}: CRC64NVME of what was sent is {as_header(whole)}, "
                f"of what the bucket has {theirs}"
            )
        return str(answer["ETag"]).strip('"')

    def open(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        """Yield key, id and beginning of the uploads that are neither completed nor aborted."""
        pages = self._bucket.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket.name, Prefix=prefix
        )
        try:
            with s3_errors(f"listing uploads of {prefix}", expected=frozenset({NO_BUCKET})):
                for page in pages:
                    for one in page.get("Uploads", []):
                        yield one["Key"], one["UploadId"], one["Initiated"]
        except S3Answer:
            return

    def touched(self, key: str, upload_id: str) -> tuple[datetime | None, int]:
        """Return when the last part of an upload was stored (None: none was), and all its bytes."""
        pages = self._bucket.client.get_paginator("list_parts").paginate(
            Bucket=self._bucket.name, Key=key, UploadId=upload_id
        )
        with s3_errors(f"listing the parts of {key}", expected=GONE):
            parts = [part for page in pages for part in page.get("Parts", [])]
        times = [part["LastModified"] for part in parts]
        return max(times, default=None), sum(part["Size"] for part in parts)

    def found(self, key: str, upload_id: str) -> Upload:
        """Return an upload of which nothing is known but its id: the parts that can be used."""
        upload = Upload(bucket=self._bucket.name, key=key, upload_id=upload_id)
        pages = self._bucket.client.get_paginator("list_parts").paginate(
            Bucket=self._bucket.name, Key=key, UploadId=upload_id
        )
        parts: dict[int, StoredPart] = {}
        with s3_errors(f"listing the parts of {key}", expected=GONE):
            for page in pages:
                upload.checks_whole = (
                    page.get("ChecksumAlgorithm") == ALGORITHM and page.get("ChecksumType") == WHOLE
                )
                for one in page.get("Parts", []):
                    parts[one["PartNumber"]] = StoredPart(
                        etag=one["ETag"],
                        length=one["Size"],
                        checksum=one.get("ChecksumCRC32"),
                        crc64=from_header(one.get("ChecksumCRC64NVME")),
                    )
        # From the beginning without a hole; a part short of full can only be the last.
        for number in count(1):
            if number not in parts:
                break
            upload.parts[number] = parts[number]
            if parts[number].length < part_size(number):
                break
        return upload

    def abort(self, upload: Upload) -> None:
        """Let the bucket free the parts; an upload that is gone is fine."""
        try:
            with s3_errors(f"aborting the upload of {upload.key}", expected=GONE):
                self._bucket.client.abort_multipart_upload(
                    Bucket=self._bucket.name, Key=upload.key, UploadId=upload.upload_id
                )
        except S3Answer:
            pass  # completed, or aborted before


def crc64_of_upload(upload: Upload) -> str | None:
    """Return the checksum of the object that the parts make; None where one part has none."""
    parts = [(part.crc64, part.length) for _, part in sorted(upload.parts.items())]
    known = [(crc64, length) for crc64, length in parts if crc64 is not None]
    return combined_crc64(known) if len(known) == len(parts) else None


def _named(number: int, part: StoredPart) -> dict[str, object]:
    named: dict[str, object] = {"PartNumber": number, "ETag": part.etag}
    # The one that came back with the part; S3 compares it with what it holds.
    return named | ({"ChecksumCRC32": part.checksum} if part.checksum else {})
