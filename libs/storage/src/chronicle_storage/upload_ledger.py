"""What a multipart upload has reached, kept beside the spool so that a later process knows it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chronicle_storage.durably import disk_errors, write_atomically


class StoredPart(BaseModel):
    """A part that the store confirmed.

    `checksum` is its CRC32 where the store told it, `crc64` our own of what was sent.
    """

    model_config = ConfigDict(frozen=True)

    etag: str
    length: int
    checksum: str | None = None
    crc64: str | None = None


class Upload(BaseModel):
    """A multipart upload: enough to go on with it, to complete or to abort it.

    `punched` is where the hole in the spool's file ends (0: none), which begins after part 1.
    `completed` is the etag of the object, once the upload has become one. `lost` are ranges of
    bytes (start, end) that only an earlier upload had, which the store lost.
    """

    bucket: str
    key: str
    upload_id: str
    parts: dict[int, StoredPart] = {}
    checks_parts: bool = False
    checks_whole: bool = False
    punched: int = 0
    completed: str | None = None
    lost: list[tuple[int, int]] = []

    @property
    def durable(self) -> int:
        """Bytes from the beginning without a hole."""
        total = 0
        for number in range(1, len(self.parts) + 1):
            if (part := self.parts.get(number)) is None:
                break
            total += part.length
        return total

    @property
    def etag(self) -> str | None:
        """What S3 calls the object that these parts become: MD5 of their MD5s, and their number.

        None where the bucket's encryption makes ETags that are no MD5s.
        """
        try:
            digests = b"".join(
                bytes.fromhex(part.etag.strip('"')) for _, part in sorted(self.parts.items())
            )
        except ValueError:
            return None
        return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(self.parts)}"


class UploadLedger:
    """The JSON file of one upload; written as a whole after each part."""

    def __init__(self, path: Path, *, bucket: str, key: str) -> None:
        self._path = path
        self._bucket = bucket
        self._key = key

    def read(self) -> Upload | None:
        """Return the open upload; None where there is none, or one of another object."""
        with disk_errors(f"reading {self._path.name}"):
            try:
                raw = self._path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            upload = Upload.model_validate_json(raw)
        except ValidationError:
            # Written atomically, so not by us; S3 itself removes what nobody completes.
            return None
        return upload if (upload.bucket, upload.key) == (self._bucket, self._key) else None

    def write(self, upload: Upload) -> None:
        """Remember the upload as it is now."""
        with disk_errors(f"writing {self._path.name}"):
            write_atomically(self._path, [upload.model_dump_json().encode()])

    def forget(self) -> None:
        """Delete the file: the upload is discarded."""
        with disk_errors(f"deleting {self._path.name}"):
            self._path.unlink(missing_ok=True)
