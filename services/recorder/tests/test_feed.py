"""What fetchers give becomes files, in whatever order it comes."""

import threading

import pytest
from recorder.adapters.feeding.feed import Feed
from recorder.adapters.feeding.remuxer import Remuxer
from recorder.adapters.feeding.remuxer_lock import RemuxerLock
from recorder.adapters.media.section import Section

from services.recorder.tests.process import ffmpeg, probed

SECONDS = 4
FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof"


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Picture and sound of a source, each a section and what stands on it."""
    folder = tmp_path_factory.mktemp("tracks")
    made = []
    for source, codec in (
        ("testsrc2=size=160x90:rate=25", ("libx264", "-g", "25")),
        ("anoisesrc=sample_rate=48000", ("aac",)),
    ):
        path = folder / f"{codec[0]}.mp4"
        ffmpeg().run(
            [
                *("-loglevel", "error", "-f", "lavfi", "-i", source, "-t", str(SECONDS)),
                *("-c", *codec, "-movflags", FRAGMENTED, str(path)),
            ]
        )
        data = path.read_bytes()
        head = data.index(b"moof") - 4
        made.append((Section(data[:head]), data[head:]))
    return made


@pytest.fixture
def feed(tmp_path):
    lock = RemuxerLock(tmp_path)
    opened = Feed(2, lambda inputs: Remuxer(ffmpeg(), tmp_path / "made.mkv", inputs, lock))
    yield opened
    opened.close()


class TestFeed:
    @pytest.mark.parametrize("first", [0, 1])
    def test_keeps_all_of_a_source_that_falls_silent(self, feed, tracks, tmp_path, first):
        for track in (first, 1 - first):
            section, media = tracks[track]
            feed.begin_section(track, section, is_break=False)
            feed.write(track, media)
        feed.close()
        seconds, *codecs = probed(tmp_path / "made.mkv")
        assert codecs == ["h264", "aac"]
        assert seconds == pytest.approx(SECONDS, abs=0.1)

    def test_tells_of_media_before_more_of_it_comes(self, feed, tracks):
        for track in (0, 1):
            section, media = tracks[track]
            feed.begin_section(track, section, is_break=False)
            feed.write(track, media)
        seen = threading.Event()
        for _ in range(600):
            if feed.media_seconds > 0:
                break
            seen.wait(0.05)
        assert feed.media_seconds > 0
