"""A recording that is uploaded while it grows.

Matroska only appends, but for its head (bytes 44 to about 1,033), which is written again at the
very end. So:

1. Every full part is uploaded once it is complete, part 1 with the head as it is then.
2. At each flush the unfinished tail is uploaded as the next part number. A later upload of the
   same number takes its place, so the tail is simply overwritten until it is full.
3. Full parts that the bucket has are punched out of the file one by one, but part 1 and the
   newest ones.
4. At the end: the last tail, part 1 again with its final head, complete, verify.

Whatever happens in between, the parts in the ledger are a prefix of the recording. The ledger
stays until `discard`: a punched file is worth nothing without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from chronicle_storage.checksum import sha256_of_path
from chronicle_storage.durably import disk_errors
from chronicle_storage.errors import NothingToDeliver, StoreError, StoreUnreachable, UploadMismatch
from chronicle_storage.hole import punch
from chronicle_storage.parts import FIRST_PART, Span, spans
from chronicle_storage.ports import StoredObject
from chronicle_storage.s3_attempts import S3Attempts
from chronicle_storage.s3_bucket import Bucket
from chronicle_storage.s3_errors import S3Answer
from chronicle_storage.s3_turns import Turns
from chronicle_storage.s3_uploads import Uploads, crc64_of_upload
from chronicle_storage.upload_ledger import Upload, UploadLedger

log = structlog.get_logger(__name__)

# A tail that grew by less than an eighth waits, so that large parts are not sent without end:
# at 8 MiB that never waits more than 1 MiB, at any size it costs at most eight times the bytes.
WORTH_SENDING = 8
# A slow stream would wait for minutes so: a tail of at most 16 MiB is sent all the same after
# this many seconds. It is a little less than the recorder's 6, so that no look is missed.
LONGEST_WAIT = 5.0
SMALL_TAIL = 2 * FIRST_PART


@dataclass(frozen=True)
class Growth:
    """What grows, and in whose turn; see `RecordingStore.grow`."""

    key: str
    name: str
    turn: int = 0
    derived: bool = False


class S3Growth:
    """The file `<spool>/<name><suffix of the key>` and its multipart upload."""

    def __init__(self, bucket: Bucket, growth: Growth, *, spool: Path, keep: int | None) -> None:
        key, name = growth.key, growth.name
        self._growth = growth
        self._bucket = bucket
        self._turns = Turns(bucket, key)
        self._uploads = Uploads(bucket)
        self._key = key
        self._keep = keep
        self._path = spool / f"{name}{Path(key).suffix}"
        self._ledger = UploadLedger(spool / f"{name}.upload.json", bucket=bucket.name, key=key)
        with disk_errors(f"making the spool of {key}"):
            spool.mkdir(parents=True, exist_ok=True)
        self._upload = self._ledger.read()
        self._lost = [] if self._upload is None else list(self._upload.lost)
        self._delivered: StoredObject | None = None
        self._tail_sent_at = -LONGEST_WAIT
        self._prepared: tuple[str, int] | None = None  # upload and size of which all is there

    @property
    def path(self) -> Path:
        """Where to write."""
        return self._path

    @property
    def durable(self) -> int:
        """Bytes in parts that the bucket confirmed."""
        return 0 if self._upload is None else self._upload.durable

    @property
    def id(self) -> str | None:
        """The id of the upload."""
        return None if self._upload is None else self._upload.upload_id

    @property
    def is_here(self) -> bool:
        """Whether nothing was punched out of the file."""
        return self._upload is None or self._upload.punched == 0

    @property
    def lost(self) -> Sequence[tuple[int, int]]:
        """What uploads had that the bucket lost."""
        return tuple(self._lost)

    def flush(self, *, tail: bool = True, upto: int | None = None) -> int:
        """Upload the full parts and the tail; free the disk of what need not be here."""
        size = self._size() if upto is None else min(self._size(), upto)
        if size > 0 and not self._is_completed():
            self._anew_if_gone(lambda: self._send(size, tail=tail))
        return self.durable

    def prepare(self) -> None:
        """Upload what is missing and the head as it is now: all but the one last request."""
        if (size := self._size()) > 0 and not self._is_completed():
            self._anew_if_gone(lambda: self._send_all(size))

    def complete(self) -> StoredObject:
        """Upload what is missing, then make it one object; the file stays in the spool."""
        if self._delivered is not None:
            return self._delivered
        if (size := self._size()) == 0:
            raise NothingToDeliver(
                f"{self._key}: {self._path.name} is missing or empty; see the writer's log"
            )
        self._turns.check(self._growth.turn)
        if self._is_completed() and not self._is_there():
            log.warning("object_gone", key=self._key)
            self._forget()
        if not self._is_completed():
            self._anew_if_gone(lambda: self._finish(size))
        self._delivered = self._verified(size)
        return self._delivered

    def set_aside(self) -> StoredObject:
        """Complete the upload and move the object beside its key, within the bucket."""
        if (size := self._size()) == 0:
            raise NothingToDeliver(f"{self._key}: {self._path.name} is missing or empty")
        attempts = S3Attempts(self._bucket, self._key)
        if not self._is_completed():
            self._anew_if_gone(lambda: self._send_all(size))
        assert self._upload is not None
        # Noted before it is done: afterwards the bucket knows no upload, and that is no loss.
        self._upload.completed = self._upload.completed or self._upload.etag or "aside"
        self._ledger.write(self._upload)
        stored = attempts.set_aside(self._upload, self._growth.name)
        if stored is None or stored.size != size:
            raise UploadMismatch(f"{self._key}: {size} bytes were set aside, there are {stored}")
        return stored

    def checksum(self) -> tuple[str, str]:
        """Return SHA-256 of the file, or CRC64NVME of the parts of a punched one."""
        if self._upload is not None and self._upload.punched:
            crc64 = crc64_of_upload(self._upload)
            assert crc64 is not None, "no part is punched without one"
            return "crc64nvme", crc64
        with disk_errors(f"reading {self._path.name}"):
            return "sha256", sha256_of_path(self._path)

    def discard(self) -> None:
        """Abort the upload, delete the file."""
        self._forget()
        with disk_errors(f"discarding {self._path.name}"):
            self._path.unlink(missing_ok=True)

    def _size(self) -> int:
        with disk_errors(f"looking at {self._path.name}"):
            return self._path.stat().st_size if self._path.is_file() else 0

    def _is_completed(self) -> bool:
        return self._upload is not None and self._upload.completed is not None

    def _is_there(self) -> bool:
        """Return whether the object can be had; what only the bucket had is not given up."""
        assert self._upload is not None
        found = self._bucket.head(self._key)
        is_it = found is not None and found["ETag"].strip('"') == self._upload.completed
        if not is_it and self._upload.punched:
            raise UploadMismatch(f"{self._key}: the object was completed, and is there no more")
        return is_it

    def _anew_if_gone(self, action: Callable[[], object]) -> None:
        """Act; if the bucket does not know the upload any more, begin a new one and act again."""
        try:
            action()
        except S3Answer:
            assert self._upload is not None
            # First: while a later attempt sets this upload aside, it is the object for a moment.
            self._turns.check(self._growth.turn)
            if self._became_the_object(self._upload):
                return
            if self._upload.punched:
                # Nobody has those bytes any more. The rest is worth delivering all the same;
                # whoever delivers it asks what is `lost`.
                gone = (FIRST_PART, self._upload.punched)
                self._lost = [one for one in self._lost if one[1] > gone[1]] + [gone]
                log.error("upload_gone_with_media", key=self._key, lost_bytes=gone[1] - gone[0])  # noqa: TRY400
            log.warning("upload_gone", key=self._key, upload_id=self._upload.upload_id)
            self._upload = None
            self._ledger.forget()
            try:
                action()
            except S3Answer as answer:
                raise StoreUnreachable(
                    f"{self._key}: the bucket lost two uploads in a row ({answer.code}); try again"
                ) from answer

    def _became_the_object(self, upload: Upload) -> bool:
        """Return whether the upload is gone because it became the object."""
        found = self._bucket.head(self._key)
        if found is None or found["ETag"].strip('"') != upload.etag:
            return False
        upload.completed = upload.etag
        self._ledger.write(upload)
        return True

    def _open(self, size: int) -> Upload:
        if self._upload is not None and self._upload.durable > size:
            # The writer began the file anew: nothing that was uploaded belongs to it.
            log.warning("spool_shrank", key=self._key, size=size, durable=self._upload.durable)
            self._forget()
        if self._upload is None:
            begun = self._uploads.begin(self._key)
            begun.lost = list(self._lost)
            try:
                # After it was begun: a take-over that this look misses will find the upload.
                self._turns.check(self._growth.turn)
                if self._growth.derived:
                    self._turns.add_derived(begun.upload_id)
            except StoreError:
                self._uploads.abort(begun)
                raise
            self._upload = begun
            self._ledger.write(self._upload)
        return self._upload

    def _send(self, size: int, *, tail: bool = True, final: bool = False) -> Upload:
        upload = self._open(size)
        due = [span for span in spans(size) if span.full and not _has(upload, span)]
        rest = next((span for span in spans(size) if not span.full), None)
        if rest is not None and tail and (final or self._is_due(rest, upload)):
            due.append(rest)
        if final and (not due or due[0].number != 1):
            # The head has its final bytes only now.
            due.insert(0, next(spans(size)))
        for span in self._uploads.send(upload, due, self._path):
            if not span.full:
                self._tail_sent_at = time.monotonic()
            self._ledger.write(upload)
            if not final:
                self._punch()
        return upload

    def _is_due(self, tail: Span, upload: Upload) -> bool:
        stored = upload.parts.get(tail.number)
        grown = tail.length - (0 if stored is None else stored.length)
        has_waited = time.monotonic() - self._tail_sent_at >= LONGEST_WAIT
        return grown * WORTH_SENDING >= tail.length or (
            grown != 0 and has_waited and tail.length <= SMALL_TAIL
        )

    def _punch(self) -> None:
        """Free the disk of the oldest stored parts; part 1 and the last `keep` bytes stay.

        What is not stored yet counts as kept: while the uplink lags the disk does not grow by it.
        """
        upload = self._upload
        if upload is None or self._keep is None:
            return
        end = FIRST_PART
        size = self._size()
        for span in spans(upload.durable):
            part = upload.parts[span.number]
            if not span.full or part.length != span.length or part.crc64 is None:
                break
            if span.number > 1 and size - (span.start + span.length) >= self._keep:
                end = span.start + span.length
        if end <= max(FIRST_PART, upload.punched):
            return
        before = upload.punched
        # The ledger first: who comes after a crash must not take zeros for media.
        upload.punched = end
        self._ledger.write(upload)
        with disk_errors(f"freeing parts of {self._path.name}"):
            is_done = punch(self._path, FIRST_PART, end - FIRST_PART)
        if not is_done:
            log.warning("spool_not_punched", file=self._path.name, reason="file system")
            upload.punched = before
            self._ledger.write(upload)
            self._keep = None  # it will not learn to

    def _send_all(self, size: int) -> Upload:
        if self._upload is not None and self._prepared == (self._upload.upload_id, size):
            return self._upload
        upload = self._send(size, final=True)
        self._prepared = (upload.upload_id, size)
        return upload

    def _finish(self, size: int) -> None:
        upload = self._send_all(size)
        upload.completed = self._uploads.complete(upload)
        self._ledger.write(upload)

    def _verified(self, size: int) -> StoredObject:
        found = self._bucket.head(self._key)
        if found is None or found["ContentLength"] != size:
            self._turns.check(self._growth.turn)
            has = "nothing" if found is None else f"{found['ContentLength']} bytes"
            raise UploadMismatch(f"{self._key}: {size} bytes were uploaded, the bucket has {has}")
        return StoredObject(self._key, size, found["ETag"].strip('"'), found["LastModified"])

    def _forget(self) -> None:
        """Forget the upload; the bucket frees its parts, unless it was completed."""
        self._lost = []
        if self._upload is None:
            return
        if not self._is_completed():
            self._uploads.abort(self._upload)
        self._upload = None
        self._ledger.forget()


def _has(upload: Upload, span: Span) -> bool:
    stored = upload.parts.get(span.number)
    return stored is not None and stored.length == span.length
