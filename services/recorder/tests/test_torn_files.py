"""Files that are torn from a remuxer that is killed: what they lack is told, and no more."""

import json

import pytest
from chronicle_contracts.recorder import Uploaded

from services.recorder.tests.origin import Origin, make_segments
from services.recorder.tests.process import NOWHERE, Job
from tests.faults.kills import OUTLIVED, kill

HELD_BACK = 1.5  # seconds at most: a cluster
UNTRUE = 0.25  # seconds
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
