from collections.abc import Iterator
from pathlib import Path

import libtorrent
import pytest
from chronicle_local import probe, second_client
from chronicle_local.errors import StepFailed
from chronicle_local.sample import LiveSample


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    """A finished transport stream: the segments of a short sample, one after another."""
    path: Path = tmp_path_factory.mktemp("recording") / "recording.ts"
    with LiveSample(segment=1.0) as sample:
        sample.end()
        path.write_bytes(
            b"".join(segment.read_bytes() for segment in sorted(sample.folder.glob("*.ts")))
        )
    return path


@pytest.fixture
def seeder(recording: Path) -> Iterator[tuple[bytes, str]]:
    """A seeder of the recording: its torrent (without a tracker) and its address."""
    files = libtorrent.list_files(str(recording))
    made = libtorrent.create_torrent(files, 16384)
    made.add_url_seed("http://127.0.0.1:9/never-asked")
    libtorrent.set_piece_hashes(made, str(recording.parent))
    torrent = libtorrent.bencode(made.generate())
    session = libtorrent.session(
        {"listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False}
    )
    offered = libtorrent.load_torrent_buffer(torrent)
    offered.save_path = str(recording.parent)
    offered.flags |= libtorrent.torrent_flags.seed_mode
    session.add_torrent(offered)
    yield torrent, f"127.0.0.1:{session.listen_port()}"
    session.pause()


class TestDecode:
    def test_finds_what_was_streamed(self, recording):
        found = probe.decode(recording)
        assert (found.container, found.video, found.audio) == ("mpegts", "h264", "aac")
        assert (found.width, found.height) == (640, 360)
        assert found.frames >= 25
        assert abs(found.duration - found.decoded) < 0.5

    def test_refuses_what_cannot_be_played(self, tmp_path):
        path = tmp_path / "noise.mkv"
        path.write_bytes(b"\0" * 10_000)
        with pytest.raises(StepFailed, match="cannot play"):
            probe.decode(path)


class TestSecondClient:
    def test_fetches_every_byte_from_a_peer(self, seeder, recording, tmp_path):
        torrent, peer = seeder
        fetched = second_client.fetch(torrent, tmp_path, peer=peer)
        assert fetched.client == "libtorrent"
        assert second_client.sha256(fetched.path) == second_client.sha256(recording)

    def test_says_why_it_has_not_fetched(self, seeder, tmp_path):
        torrent, _ = seeder
        with pytest.raises(StepFailed, match="not fetched within 1 s: 0% done, 0 peers"):
            second_client.fetch(torrent, tmp_path, peer=None, timeout=1)
