"""What only the bucket store does."""

import os
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from chronicle_storage import (
    StoreRefused,
    StoreUnreachable,
    UploadMismatch,
    s3_growth,
    sha256_of_object,
    sha256_of_path,
)
from chronicle_storage.crc64 import as_header, crc64_of_slice
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_bucket import Bucket

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
MIB = 1024 * 1024


@pytest.fixture
def store(bucket):
    return S3Store(bucket)


@pytest.fixture
def growing(store, tmp_path):
    return store.grow(KEY, spool=tmp_path / "spool", name="attempt-1")


def write(growing, size: int) -> None:
    with growing.path.open("ab") as file:
        file.write(os.urandom(size))


def uploads(bucket):
    return bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])


def part_sizes(bucket) -> list[int]:
    upload = uploads(bucket)[0]["UploadId"]
    parts = bucket.client.list_parts(Bucket=bucket.name, Key=KEY, UploadId=upload)["Parts"]
    return [part["Size"] for part in parts]


class TestMultipartUpload:
    def test_sends_parts_while_the_file_grows(self, bucket, growing):
        write(growing, 20 * MIB)
        growing.flush()
        assert part_sizes(bucket) == [8 * MIB, 8 * MIB, 4 * MIB]

    def test_sends_nothing_beyond_what_it_is_asked_for(self, bucket, growing):
        write(growing, 20 * MIB)
        assert growing.flush(upto=17 * MIB) == 17 * MIB
        assert part_sizes(bucket) == [8 * MIB, 8 * MIB, 1 * MIB]
        assert growing.flush() == 20 * MIB

    def test_overwrites_the_tail_until_it_is_a_part(self, bucket, growing):
        write(growing, 3 * MIB)
        assert growing.flush() == 3 * MIB
        write(growing, 3 * MIB)
        assert growing.flush() == 6 * MIB
        write(growing, 3 * MIB)
        assert growing.flush() == 9 * MIB
        assert part_sizes(bucket) == [8 * MIB, 1 * MIB]

    def test_waits_with_a_tail_that_hardly_grew(self, bucket, growing):
        write(growing, 7 * MIB)
        growing.flush()
        write(growing, MIB // 2)
        assert growing.flush() == 7 * MIB

    def test_sends_the_tail_of_a_slow_stream_all_the_same(self, bucket, growing, monkeypatch):
        write(growing, 7 * MIB)
        growing.flush()
        monkeypatch.setattr(s3_growth, "LONGEST_WAIT", 0.0)
        write(growing, 1000)
        assert growing.flush() == 7 * MIB + 1000

    def test_sends_whole_parts_alone_where_more_is_about_to_come(self, bucket, growing):
        write(growing, 18 * MIB)
        assert growing.flush(tail=False) == 16 * MIB
        assert part_sizes(bucket) == [8 * MIB, 8 * MIB]

    def test_sends_nothing_again_that_was_prepared(self, bucket, growing):
        write(growing, 20 * MIB)
        growing.flush()
        with growing.path.open("r+b") as file:
            file.write(b"the final head")
        growing.prepare()
        sent = []
        bucket.client.meta.events.register(
            "before-call.s3.UploadPart", lambda **_: sent.append("part")
        )
        assert growing.complete().size == 20 * MIB
        assert sent == []
        assert growing.checksum() == ("sha256", sha256_of_path(growing.path))

    def test_leaves_no_open_upload_behind(self, bucket, growing, tmp_path):
        write(growing, 20 * MIB)
        growing.flush()
        growing.complete()
        assert uploads(bucket) == []
        growing.discard()
        assert list((tmp_path / "spool").iterdir()) == []
        assert bucket.head(KEY) is not None

    def test_keeps_the_media_type(self, bucket, growing):
        write(growing, 9 * MIB)
        growing.complete()
        assert bucket.head(KEY)["ContentType"] == "video/x-matroska"

    def test_is_aborted_by_a_later_process(self, bucket, store, growing, tmp_path):
        write(growing, 9 * MIB)
        growing.flush()
        store.grow(KEY, spool=tmp_path / "spool", name="attempt-1").discard()
        assert uploads(bucket) == []

    def test_begins_anew_when_the_bucket_lost_it(self, bucket, store, growing):
        write(growing, 9 * MIB)
        growing.flush()
        lost = uploads(bucket)[0]["UploadId"]
        bucket.client.abort_multipart_upload(Bucket=bucket.name, Key=KEY, UploadId=lost)
        write(growing, 9 * MIB)
        assert growing.flush() == 18 * MIB
        growing.complete()
        assert sha256_of_object(store, KEY) == sha256_of_path(growing.path)

    def test_begins_anew_when_the_writer_did(self, bucket, store, growing):
        write(growing, 9 * MIB)
        growing.flush()
        growing.path.unlink()
        write(growing, 1 * MIB)
        assert growing.flush() == 1 * MIB
        assert part_sizes(bucket) == [1 * MIB]

    def test_knows_an_object_that_it_had_completed_before_a_crash(
        self, bucket, store, growing, tmp_path
    ):
        write(growing, 9 * MIB)
        growing.flush()
        ledger = tmp_path / "spool" / "attempt-1.upload.json"
        remembered = ledger.read_bytes()
        first = growing.complete()
        ledger.write_bytes(remembered)
        again = store.grow(KEY, spool=tmp_path / "spool", name="attempt-1").complete()
        assert again == first
        assert uploads(bucket) == []


class TestChecksums:
    def test_go_with_every_part_where_the_endpoint_knows_them(self, aws, credentials, tmp_path):
        # This endpoint verifies those of parts; it makes none of whole objects.
        bucket = Bucket("checked", region="us-east-1", endpoint=aws.url, provision=True, crc64=True)
        growing = S3Store(bucket).grow(KEY, spool=tmp_path, name="attempt-1")
        write(growing, 8 * MIB + 1000)
        growing.flush()
        growing.complete()
        found = bucket.client.head_object(Bucket="checked", Key=KEY, ChecksumMode="ENABLED")
        assert found["ChecksumCRC64NVME"].endswith("-2")
        assert growing.checksum() == ("sha256", sha256_of_path(growing.path))

    def test_of_the_whole_are_compared_with_the_stores_own(self, bucket, growing):
        asked = {}

        class Aws:
            """What AWS adds to the answers of this endpoint."""

            def __getattr__(self, name):
                return getattr(client, name)

            def complete_multipart_upload(self, **request):
                asked.update(request)
                answer = client.complete_multipart_upload(
                    **{k: v for k, v in request.items() if not k.startswith("Checksum")}
                )
                return answer | {"ChecksumType": "FULL_OBJECT", "ChecksumCRC64NVME": self.says}

        client, bucket.client = bucket.client, Aws()
        write(growing, 9 * MIB)
        growing.flush()
        growing._upload.checks_whole = True
        expected = as_header(crc64_of_slice(growing.path, 0, 9 * MIB))
        bucket.client.says = "AAAAAAAAAAA="
        with pytest.raises(UploadMismatch, match="CRC64NVME"):
            growing.complete()
        assert (asked["ChecksumType"], asked["ChecksumCRC64NVME"]) == ("FULL_OBJECT", expected)
        bucket.client.says = expected
        assert growing.complete().size == 9 * MIB


class TestBucket:
    def test_that_is_missing_is_refused_unless_it_may_be_made(self, aws, credentials):
        bucket = Bucket("not-there-at-all", region="us-east-1", endpoint=aws.url)
        with pytest.raises(StoreRefused, match="NoSuchBucket"):
            S3Store(bucket).put(KEY, b"x")

    def test_that_does_not_answer_is_unreachable(self, credentials, tmp_path):
        bucket = Bucket("anything", region="us-east-1", endpoint="http://127.0.0.1:9")
        with pytest.raises(StoreUnreachable, match="try again"):
            S3Store(bucket).stat(KEY)

    def test_signs_addresses_that_serve_ranges(self, store):
        store.put(KEY, b"0123456789")
        url = store.signed_url(KEY, expires=60, filename='a "talk".mkv')
        assert url is not None
        request = urllib.request.Request(url, headers={"Range": "bytes=2-4"})
        with urllib.request.urlopen(request) as answer:
            assert answer.read() == b"234"
        assert "a-talk-.mkv" in url

    def test_has_no_paths(self, store):
        assert store.local_path(KEY) is None


class HalfTheBody(BaseHTTPRequestHandler):
    """An endpoint that breaks off in the middle of every body, once it has sent some of it."""

    content = bytes(range(256)) * 8192  # 2 MiB
    ranges: ClassVar[list[str | None]] = []

    def do_GET(self):
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        rest = self.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("ETag", '"same"')
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest if len(rest) <= MIB else rest[: MIB + 1000])

    def log_message(self, *args):
        pass


class TestRead:
    def test_takes_up_a_broken_connection_where_it_broke(self, credentials):
        server = HTTPServer(("127.0.0.1", 0), HalfTheBody)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            bucket = Bucket(
                "any", region="us-east-1", endpoint=f"http://127.0.0.1:{server.server_port}"
            )
            assert b"".join(S3Store(bucket).read(KEY)) == HalfTheBody.content
            assert HalfTheBody.ranges[0] is None
            assert len(HalfTheBody.ranges) > 1
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
