"""Files that are torn from a remuxer that is killed: what they lack is told, and no more."""

import contextlib
import http.server
import json
import threading
import time

import pytest
from chronicle_contracts.recorder import RecordingEnded, Uploaded

from services.recorder.tests.origin import Origin, make_segments
from services.recorder.tests.process import NOWHERE, Job
from tests.faults.kills import OUTLIVED, kill

HELD_BACK = 1.5  # seconds at most: a cluster
UNTRUE = 0.25  # seconds
PACKET = 188  # bytes of a transport stream
MASTER = (
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="sound.m3u8"\n'
    "#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=320x180,"
    'CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a"\npictures.m3u8\n'
)


@pytest.fixture(scope="session")
def tracks(tmp_path_factory):
    """A minute of pictures, and of sound apart from them."""
    folder = tmp_path_factory.mktemp("tracks")
    return {
        "pictures": make_segments(folder, 60, kinds="v"),
        "sound": make_segments(folder, 60, kinds="a"),
    }


@pytest.fixture
def origin(request, segments):
    """A source of which nothing leaves the playlist: pictures and sound together, or apart."""
    if getattr(request, "param", "together") == "together":
        opened = Origin({"live": segments}, window=200)
    else:
        opened = Origin(request.getfixturevalue("tracks"), window=200)
        opened.pages["/live.m3u8"] = (200, "application/vnd.apple.mpegurl", MASTER)
    yield opened
    opened.close()


def kill_amid(job: Job, origin: Origin, member) -> Uploaded:
    """Kill something in the middle of a recording; return what is said in the end."""
    attempt = 1
    job.env |= NOWHERE
    job.launch().until_recorded(6)
    assert job.process is not None
    kill(member, job.process)
    if member not in OUTLIVED:
        attempt = 2
        job.launch(attempt)
    job.until(lambda: job.started(attempt))
    origin.wait_for(origin.newest + 6)
    origin.end()
    job.wait()
    [uploaded] = [one.data for one in job.events(attempt) if isinstance(one.data, Uploaded)]
    return uploaded


def kept_seconds(job: Job) -> float:
    """Return the seconds of media in all segments that were kept, each of which has one."""
    path = job.recording.with_name(f"{job.recording.name}.manifest.json")
    found = json.loads(path.read_text())["segments"]
    numbers = {one["sequence"] for one in found}
    assert numbers == set(range(min(numbers), max(numbers) + 1))
    return float(len(numbers))


class TestTornFile:
    @pytest.mark.parametrize(
        ("origin", "member"),
        [("together", "ffmpeg"), ("together", "all"), ("apart", "ffmpeg")],
        indirect=["origin"],
    )
    def test_lacks_what_is_told(self, job, origin, member):
        uploaded = kill_amid(job, origin, member)
        lost = kept_seconds(job) - uploaded.duration
        assert lost <= HELD_BACK
        assert {gap.cause for gap in uploaded.gaps} <= {"not saved"}
        assert sum(gap.seconds for gap in uploaded.gaps) == pytest.approx(lost, abs=UNTRUE)
        for gap in uploaded.gaps:
            assert 3 < gap.at_media_seconds < uploaded.duration - 3, "where the file was torn"

    def test_is_none_where_the_remuxer_outlived_the_recorder(self, job, origin):
        uploaded = kill_amid(job, origin, "recorder")
        assert uploaded.duration == pytest.approx(kept_seconds(job), abs=UNTRUE)
        assert uploaded.gaps == ()
        assert uploaded.completeness.score == 1


class Endless:
    """Sends media without segments, twice as fast as life; `sent` are the seconds of a listener."""

    def __init__(self, media: list[bytes]) -> None:
        self.sent: list[float] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                number = len(outer.sent)
                outer.sent.append(0.0)
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                with contextlib.suppress(OSError):
                    for second in media:
                        step = PACKET * -(-len(second) // (PACKET * 10))
                        for at in range(0, len(second), step):
                            self.wfile.write(second[at : at + step])
                            outer.sent[number] += min(step, len(second) - at) / len(second)
                            time.sleep(0.05)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/live.ts"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endless(segments):
    with contextlib.closing(Endless(segments)) as opened:
        yield opened


class TestTornFileOfNoSegments:
    @pytest.mark.parametrize("member", ["ffmpeg", None])
    def test_lacks_what_is_told(self, endless, tmp_path, aws_env, member):
        with contextlib.closing(Job(tmp_path, endless.url, {**aws_env, **NOWHERE})) as job:
            job.launch().until_recorded(5)
            assert job.process is not None
            if member is not None:
                kill(member, job.process)
            job.until(lambda: max(endless.sent) > 10).ask(stop="keep")
            job.until(lambda: any(isinstance(one.data, RecordingEnded) for one in job.events()))
            sent = max(endless.sent)
            job.wait()
            [uploaded] = [one.data for one in job.events() if isinstance(one.data, Uploaded)]
        lost, said = sent - uploaded.duration, sum(gap.seconds for gap in uploaded.gaps)
        assert said == pytest.approx(lost, abs=2 * UNTRUE)
        assert member is not None or uploaded.gaps == ()
