"""Torrents: the same from a folder, from a stream and from torf itself."""

import os
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

import pytest
import torf
from chronicle_storage import StorageSettings, open_store
from seeder.adapters.torrent_maker import TorfMaker, hash_pieces, without_web_seeds
from seeder.ports import CannotMake, Wish

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
PIECE = 1024 * 1024
UDP, HTTP = "udp://127.0.0.1:6969/announce", "http://127.0.0.1:6969/announce"
WEB_SEED = f"http://127.0.0.1:8000/webseed/{'0' * 32}/{KEY}"


@pytest.fixture
def folder(tmp_path):
    return open_store(StorageSettings(recordings=tmp_path / "recordings"))


@pytest.fixture
def bucket(aws_env):
    return open_store(
        StorageSettings(
            bucket=f"test-{uuid4().hex[:12]}", aws_endpoint_url=aws_env["AWS_ENDPOINT_URL"]
        )
    )


def wish(size: int, **more) -> Wish:
    return Wish(
        key=KEY,
        name=KEY.rsplit("/", 1)[-1],
        size=size,
        piece_length=PIECE,
        made_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        **more,
    )


@pytest.fixture(params=[1, PIECE - 1, PIECE, 3 * PIECE, 3 * PIECE + 17])
def content(request):
    return os.urandom(request.param)


class TestTorfMaker:
    def test_makes_the_same_torrent_from_a_folder_and_from_a_bucket(self, folder, bucket, content):
        folder.put(KEY, content)
        bucket.put(KEY, content)
        asked = wish(len(content), trackers=[UDP, HTTP], web_seeds=[WEB_SEED])
        assert TorfMaker(folder).make(asked) == TorfMaker(bucket).make(asked)

    def test_makes_the_torrent_that_torf_makes(self, folder, content):
        folder.put(KEY, content)
        theirs = torf.Torrent(path=folder.local_path(KEY), piece_size=PIECE)
        theirs.generate()
        assert TorfMaker(folder).make(wish(len(content))).info_hash == theirs.infohash

    def test_makes_the_same_bytes_again(self, folder):
        folder.put(KEY, b"x" * 1000)
        asked = wish(1000, trackers=[UDP], web_seeds=[WEB_SEED])
        assert TorfMaker(folder).make(asked).metainfo == TorfMaker(folder).make(asked).metainfo

    def test_writes_trackers_as_one_tier_and_the_web_seed(self, folder):
        folder.put(KEY, b"x" * 1000)
        made = TorfMaker(folder).make(wish(1000, trackers=[UDP, HTTP], web_seeds=[WEB_SEED]))
        read = torf.Torrent.read_stream(made.metainfo)
        assert [list(map(str, tier)) for tier in read.trackers] == [[UDP, HTTP]]
        assert list(map(str, read.webseeds)) == [WEB_SEED]
        assert read.creation_date is not None
        assert read.creation_date.timestamp() == datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()
        assert quote(UDP, safe="") in made.magnet
        assert made.info_hash in made.magnet

    def test_makes_torrents_without_trackers(self, folder):
        folder.put(KEY, b"x" * 1000)
        read = torf.Torrent.read_stream(TorfMaker(folder).make(wish(1000)).metainfo)
        assert not read.trackers
        assert read.private is None

    @pytest.mark.parametrize("store", ["folder", "bucket"])
    def test_says_that_the_recording_has_another_size(self, request, store):
        store = request.getfixturevalue(store)
        store.put(KEY, b"x" * 1000)
        with pytest.raises(CannotMake) as refusal:
            TorfMaker(store).make(wish(999))
        assert refusal.value.code == "changed"

    def test_says_that_the_recording_is_missing(self, folder, bucket):
        bucket.put("other", b"x")
        for store, code in ((folder, "unreadable"), (bucket, "missing")):
            with pytest.raises(CannotMake) as refusal:
                TorfMaker(store).make(wish(1000))
            assert refusal.value.code == code


class TestHashPieces:
    def test_does_not_depend_on_how_the_bytes_come(self):
        content = os.urandom(1000)
        expected = hash_pieces([content], 64)
        assert hash_pieces([content[i : i + 7] for i in range(0, 1000, 7)], 64) == expected
        assert len(expected[0]) == 16 * 20


class TestWithoutWebSeeds:
    def test_keeps_the_info_hash(self, folder):
        folder.put(KEY, b"x" * 1000)
        made = TorfMaker(folder).make(wish(1000, trackers=[UDP], web_seeds=[WEB_SEED]))
        read = torf.Torrent.read_stream(without_web_seeds(made.metainfo))
        assert read.infohash == made.info_hash
        assert not read.webseeds
        assert read.trackers
