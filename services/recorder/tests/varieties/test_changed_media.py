"""Sources that go on with other media: nothing is lost, and all of it plays."""

from __future__ import annotations

import pytest
from chronicle_contracts.recorder import Uploaded

from services.recorder.tests.joins import X265, decoded, times
from services.recorder.tests.process import ffmpeg
from services.recorder.tests.varieties.media import SECONDS, Media
from services.recorder.tests.varieties.station import Clock, Playlist, Segment

DONE_UNSAID = 69
CHANGE = 8  # segments before it, and seconds
PICTURES = 25 * CHANGE


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """HEVC in place of H.264, stereo in place of mono."""
    path = tmp_path_factory.mktemp("media") / "hevc.mkv"
    ffmpeg().run(
        [
            *("-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25,hflip"),
            *("-f", "lavfi", "-i", "anoisesrc=seed=3:sample_rate=48000:amplitude=0.2"),
            *("-t", str(SECONDS), *X265, "-g", "25", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-ac", "2", "-b:a", "48k", str(path)),
        ]
    )
    return Media(path)


def marked(station, media, other):
    """At a discontinuity, by another clock."""
    bodies = media.segments("ts")[:CHANGE] + other.segments("ts", on_air=20)[:CHANGE]
    return _play(station, "marked", station.put("marked", bodies, "ts"), is_marked=True), {}


def unmarked(station, media, other):
    """From one segment to the next, without a word, by the same clock."""
    bodies = media.segments("ts")[:CHANGE] + other.segments("ts")[CHANGE:]
    return _play(station, "unmarked", station.put("unmarked", bodies, "ts"), is_marked=False), {}


def fmp4(station, media, other):
    heads, bodies = [], []
    for number, one in enumerate((media, other)):
        head, *segments = one.segments("m4s", on_air=20 + number)
        heads.append(head)
        bodies += segments[:CHANGE]
    station.files |= {f"/changed/{number}.mp4": head for number, head in enumerate(heads)}
    offered = [
        Segment(name, map=f'URI="{int(at >= CHANGE)}.mp4"', discontinuity=at == CHANGE)
        for at, name in enumerate(station.put("changed", bodies, "m4s"))
    ]
    return station.play("changed/live.m3u8", Playlist(offered)), {}


def ts_to_fmp4(station, media, other):
    """Another container, too."""
    head, *segments = other.segments("m4s", on_air=30)
    station.files["/container/head.mp4"] = head
    names = station.put("container", media.segments("ts")[:CHANGE], "ts")
    later = station.put("container/later", segments[:CHANGE], "m4s")
    offered = [Segment(name) for name in names]
    offered += [
        Segment(f"later/{name}", map='URI="head.mp4"', discontinuity=at == 0)
        for at, name in enumerate(later)
    ]
    return station.play("container/live.m3u8", Playlist(offered)), {}


def packed_apart(station, media, other):
    """The pictures change; the sound comes apart, packed, and stays as it is."""
    bodies = media.segments("ts", "-an")[:CHANGE] + other.segments("ts", "-an")[CHANGE:]
    clock = Clock()
    for folder, ending, content in (
        ("apart/v", "ts", bodies),
        ("apart/a", "aac", media.packed_audio()[: len(bodies)]),
    ):
        names = station.put(folder, content, ending)
        offered = [
            Segment(f"{folder[-1]}/{name}", discontinuity=at == CHANGE)
            for at, name in enumerate(names)
        ]
        station.play(f"apart/{folder[-1]}.m3u8", Playlist(offered, clock))
    station.pages["/apart/master.m3u8"] = lambda: (
        "#EXTM3U\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,URI="a.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.64000b,mp4a.40.2",AUDIO="a"\n'
        "v.m3u8\n"
    )
    return f"{station.url}/apart/master.m3u8", {}


def _play(station, folder, names, *, is_marked):
    offered = [
        Segment(name, discontinuity=is_marked and at == CHANGE) for at, name in enumerate(names)
    ]
    return station.play(f"{folder}/live.m3u8", Playlist(offered))


SOURCES = {one.__name__: one for one in (packed_apart, marked, unmarked, fmp4, ts_to_fmp4)}
# In these the second half of the other media comes; else its first.
GOES_ON = {"unmarked", "packed_apart"}


@pytest.mark.parametrize("name", SOURCES)
class TestChange:
    def test_of_codecs_loses_no_picture(self, recorded, media, other, name):
        result = recorded(name)
        assert result.code == DONE_UNSAID, result.log
        assert result.complaints() == ""
        assert result.seconds == pytest.approx(2 * CHANGE, abs=0.2)
        first, said = decoded(result.path, "v:0")
        assert said == ""
        assert first == decoded(media.path, "v:0")[0][:PICTURES]
        second, said = decoded(result.path, "v:1")
        assert said == ""
        whole = decoded(other.path, "v:0")[0]
        assert second == (whole[PICTURES:] if name in GOES_ON else whole[:PICTURES])
        [uploaded] = result.facts(Uploaded)
        assert uploaded.gaps == ()

    def test_puts_each_track_at_its_time(self, recorded, name):
        path = recorded(name).path
        pictures = times(path, "v:0") + times(path, "v:1")
        assert pictures[0] < 0.2
        assert times(path, "v:1")[0] == pytest.approx(CHANGE, abs=0.2)
        sound = times(path, "a:0")
        if name == "packed_apart":
            assert sound[-1] == pytest.approx(2 * CHANGE, abs=0.3)
        else:
            assert sound[-1] == pytest.approx(CHANGE, abs=0.3)
            assert times(path, "a:1")[-1] == pytest.approx(2 * CHANGE, abs=0.3)
