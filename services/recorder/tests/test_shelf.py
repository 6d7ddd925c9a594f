"""How several files become one recording, also where their bytes are in the bucket alone."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_bucket import Bucket
from recorder.adapters.keeping.shelf import StoreShelf

from services.recorder.tests.cast import AwayFor
from services.recorder.tests.process import KEY, ffmpeg, packets, probed

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Four seconds that no codec makes small: 100 pictures, more than two parts."""
    path = tmp_path_factory.mktemp("noise") / "noise.mkv"
    ffmpeg().run(
        [
            *(
                "-loglevel",
                "error",
                "-f",
                "lavfi",
                "-i",
                "nullsrc=s=640x360:r=25,geq=random(1)*255",
            ),
            *("-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-g", "25"),
            *("-f", "matroska", str(path)),
        ]
    )
    content = path.read_bytes()
    assert len(content) > 18 * MIB
    return content


# What the next attempt's recorder does once the stream is over.
DELIVER = f"""
import sys
from pathlib import Path
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_bucket import Bucket
from recorder.adapters.media.ffmpeg import Ffmpeg
from recorder.adapters.keeping.shelf import StoreShelf
name, endpoint, work = sys.argv[1:]
store = S3Store(Bucket(name, region="us-east-1", endpoint=endpoint), keep=0)
StoreShelf(
    store, Ffmpeg(), key={KEY!r}, work_dir=Path(work), attempt=2, flush_interval=3600.0
).deliver()
"""


class LossyBucket:
    """A bucket that can forget what was not completed."""

    def __init__(self, endpoint: str) -> None:
        self.name = f"shelf-{uuid4().hex[:8]}"
        self.endpoint = endpoint
        self.bucket = Bucket(self.name, region="us-east-1", endpoint=endpoint, provision=True)

    def lose_uploads(self) -> None:
        client = self.bucket.client
        for one in client.list_multipart_uploads(Bucket=self.name)["Uploads"]:
            client.abort_multipart_upload(
                Bucket=self.name, Key=one["Key"], UploadId=one["UploadId"]
            )


class Peak:
    """The most disk that a folder takes while something is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.before = self.most = self._taken()

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.most = max(self.most, self._taken())

    def _taken(self) -> int:
        taken = 0
        with os.scandir(self._folder) as entries:
            for one in entries:
                with suppress(FileNotFoundError):  # what was joined goes while it is looked at
                    taken += one.stat().st_blocks * 512
        return taken


@pytest.fixture
def bucket(aws, aws_env):
    return LossyBucket(aws.url)


@pytest.fixture
def store(bucket):
    """A store in the bucket; what it has is punched out of the spool at once."""
    return S3Store(bucket.bucket, keep=0)


@pytest.fixture
def shelf(store, tmp_path):
    """Opens the shelf of an attempt."""
    opened = []

    def of(attempt: int) -> StoreShelf:
        opened.append(
            StoreShelf(
                store,
                ffmpeg(),
                key=KEY,
                work_dir=tmp_path / "work",
                attempt=attempt,
                flush_interval=3600.0,
            )
        )
        return opened[-1]

    yield of
    for one in opened:
        one.clear()


def piece(store, tmp_path, attempt: int, content: bytes):
    """What an attempt left in the work folder when it was killed."""
    grown = store.grow(KEY, spool=tmp_path / "work", name=f"attempt-{attempt}", turn=attempt)
    grown.path.write_bytes(content)
    grown.flush()
    return grown


def fetched(store, tmp_path):
    path = tmp_path / "fetched.mkv"
    with path.open("wb") as file:
        file.writelines(store.read(KEY))
    return path


class TestShelf:
    def test_delivers_a_file_that_is_mostly_in_the_bucket(self, store, shelf, tmp_path, noise):
        grown = piece(store, tmp_path, 1, noise)
        assert not grown.is_here
        delivery = shelf(1).deliver()
        assert delivery.checksum.algorithm == "crc64nvme"
        assert delivery.duration == pytest.approx(4, abs=0.1)
        assert fetched(store, tmp_path).read_bytes() == noise

    def test_joins_files_that_are_mostly_in_the_bucket(self, store, shelf, tmp_path, noise):
        # The first was cut off: it has no duration and no index.
        assert not piece(store, tmp_path, 1, noise[: 17 * MIB]).is_here
        assert not piece(store, tmp_path, 2, noise).is_here
        opened = shelf(2)
        delivery = opened.deliver()
        opened.clear()
        path = fetched(store, tmp_path)
        seconds, video, _ = probed(path)
        assert video == "h264"
        assert seconds == pytest.approx(delivery.duration)
        whole = packets(path)
        assert 100 + 100 * 17 * MIB / len(noise) - 15 <= whole <= 200
        assert [one.key for one in store.list("") if not one.key.endswith(".turn")] == [KEY]
        assert list((tmp_path / "work").iterdir()) == []

    def test_asks_again_for_what_is_saved_where_the_store_is_away_for_a_moment(
        self, store, tmp_path, noise
    ):
        piece(store, tmp_path, 1, noise)
        shutil.rmtree(tmp_path / "work")
        (tmp_path / "work").mkdir()
        shelf = StoreShelf(
            AwayFor(store, 2),
            ffmpeg(),
            key=KEY,
            work_dir=tmp_path / "work",
            attempt=2,
            flush_interval=3600.0,
        )
        assert shelf.knows_saved
        assert shelf.saved_bytes > 16 * MIB
        shelf.clear()

    def test_takes_what_was_delivered_but_not_said_for_the_recording(
        self, store, shelf, tmp_path, noise
    ):
        store.put(KEY, noise)
        opened = shelf(2)
        assert opened.saved_bytes == len(noise)
        delivery = opened.deliver()
        assert (delivery.size, delivery.checksum.algorithm) == (len(noise), "sha256")

    def test_says_as_a_hole_what_the_bucket_lost(self, store, shelf, tmp_path, noise, bucket):
        piece(store, tmp_path, 1, noise)
        bucket.lose_uploads()
        opened = shelf(1)
        delivery = opened.deliver()
        [hole] = delivery.losses
        assert 0.5 < hole.seconds < 3.5
        assert delivery.duration == pytest.approx(4, abs=0.1)
        path = fetched(store, tmp_path)
        assert probed(path)[0] == pytest.approx(4, abs=0.1)
        assert packets(path) + 25 * hole.seconds == pytest.approx(100, abs=4)

    def test_joins_with_little_disk(self, store, shelf, tmp_path, noise):
        for attempt in (1, 2, 3, 4):
            piece(store, tmp_path, attempt, noise)
        opened = shelf(4)
        with Peak(tmp_path / "work") as peak:
            delivery = opened.deliver()
        assert delivery.size > 4 * 18 * MIB
        assert delivery.duration == pytest.approx(16, abs=0.2)
        assert peak.most - peak.before < 40 * MIB
        assert packets(fetched(store, tmp_path)) == 400

    def test_joins_again_after_a_kill_in_the_middle(self, store, shelf, tmp_path, noise, bucket):
        for attempt in (1, 2):
            piece(store, tmp_path, attempt, noise)
        child = subprocess.Popen(
            [sys.executable, "-c", DELIVER, bucket.name, bucket.endpoint, str(tmp_path / "work")]
        )
        joined = tmp_path / "work" / "joined.mkv"
        deadline = time.monotonic() + 60
        while not (joined.exists() and joined.stat().st_size > MIB):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        opened = shelf(3)
        delivery = opened.deliver()
        opened.clear()
        assert delivery.duration == pytest.approx(8, abs=0.2)
        assert packets(fetched(store, tmp_path)) == 200
        assert [one.key for one in store.list("") if not one.key.endswith(".turn")] == [KEY]
        assert store.unfinished(KEY) == []
