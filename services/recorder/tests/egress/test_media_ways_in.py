"""Media that is no media but a list of files cannot have files of this machine recorded."""

import pytest
from recorder.adapters.feeding.feed import Feed
from recorder.adapters.feeding.remuxer import Remuxer
from recorder.adapters.feeding.remuxer_lock import RemuxerLock
from recorder.adapters.fetching.fetcher import SinkClosed

from services.recorder.tests.egress.test_dash_ways_in import LIST, manifest
from services.recorder.tests.process import ffmpeg

LISTS = {
    "manifest": manifest("<BaseURL>{}</BaseURL>"),
    "manifest with a list": manifest(LIST.format("{0}", 'media="{0}"')),
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "concat list": "ffconcat version 1.0\nfile '{}'\n",
    "concat list without checks": "ffconcat version 1.0\nfile '{}'\noption safe 0\n",
    "session": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\na={}\n",
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Somebody else's recording, in a container that every demuxer opens by its suffix."""
    path = tmp_path_factory.mktemp("others") / "secret.mp4"
    ffmpeg().run(
        [
            *("-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-t", "2"),
            *("-c:v", "libx264", "-preset", "ultrafast", str(path)),
        ]
    )
    return path


class TestMedia:
    @pytest.mark.parametrize("kind", LISTS)
    @pytest.mark.parametrize("form", ["file:{}", "file://{}", "{}"])
    def test_names_no_file_of_this_machine(self, recording, tmp_path, kind, form):
        made = tmp_path / "made.mkv"
        lock = RemuxerLock(tmp_path)
        feed = Feed(1, lambda tracks: Remuxer(ffmpeg(), made, tracks, lock))
        data = LISTS[kind].format(form.format(recording)).encode()
        try:
            feed.write(0, data)
            feed.finish(0)
        except SinkClosed:
            pass
        finally:
            feed.close()
        assert feed.media_seconds == 0
        assert not made.exists() or made.stat().st_size < 2000
