"""How several files become one recording, also where their bytes are in the bucket alone."""

from uuid import uuid4

import pytest
from chronicle_storage.s3 import S3Store
from chronicle_storage.s3_bucket import Bucket
from recorder.adapters.shelf import StoreShelf

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


@pytest.fixture
def store(aws, aws_env):
    """A bucket; what it has is punched out of the spool at once."""
    name = f"shelf-{uuid4().hex[:8]}"
    return S3Store(Bucket(name, region="us-east-1", endpoint=aws.url, provision=True), keep=0)


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

    def test_takes_what_was_delivered_but_not_said_for_the_recording(
        self, store, shelf, tmp_path, noise
    ):
        store.put(KEY, noise)
        opened = shelf(2)
        assert opened.saved_bytes == len(noise)
        delivery = opened.deliver()
        assert (delivery.size, delivery.checksum.algorithm) == (len(noise), "sha256")
