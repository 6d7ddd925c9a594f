"""What only yt-dlp's own downloaders fetch: Smooth Streaming, here from a site on loopback."""

from __future__ import annotations

import re

import pytest
from chronicle_contracts.recorder import RecordingEnded, RecordingStarted, Uploaded

from services.recorder.tests.varieties.media import SECONDS
from services.recorder.tests.varieties.recorded import Comparison


def _smooth(station, media, folder):
    """Pictures as files; of its sound yt-dlp's head of an MP4 says too little to be copied."""
    fragments = ("-f", "smoothstreaming", "-min_frag_duration", "1000000")
    made = media.as_("-an", "-c", "copy", *fragments, name=f"{folder}.ism")
    root = f"/{folder}/{folder}.ism"
    begins: dict[str, int] = {}
    for path in made.glob("*/Fragments*"):
        station.files[f"{root}/{path.relative_to(made)}"] = path.read_bytes()
        kind, at = re.findall(r"(video|audio)=(\d+)", path.name)[0]
        begins[kind] = min(int(at), begins.get(kind, int(at)))
    text = (made / "Manifest").read_text()
    # ffmpeg's own leaves out where the first fragment begins.
    for kind, at in begins.items():
        text = re.sub(rf'(Type="{kind}".*?<c n="0") ', rf'\1 t="{at}" ', text, flags=re.DOTALL)
    station.pages[f"{root}/Manifest"] = lambda: text
    return f"{station.url}{root}/Manifest"


def smooth(station, media, other):
    return _smooth(station, media, "smooth"), {}


def smooth_with_a_hole(station, media, other):
    url = _smooth(station, media, "hole")
    fragments = sorted(
        (path for path in station.files if path.startswith("/hole/") and "video=" in path),
        key=lambda path: int(re.findall(r"\d+", path)[-1]),
    )
    del station.files[fragments[5]]
    return url, {}


SOURCES = {one.__name__: one for one in (smooth, smooth_with_a_hole)}


class TestSmoothStreaming:
    def test_is_recorded_without_a_gap(self, recorded, media):
        result = recorded("smooth")
        [started] = result.facts(RecordingStarted)
        assert started.protocol == "ytdlp"
        assert result.shape == ("h264", None), result.log
        assert result.complaints() == ""
        assert Comparison.of(result.path, media.path, "v").is_gapless
        assert result.seconds == pytest.approx(SECONDS, abs=0.2)

    def test_ends_by_itself(self, recorded):
        [ended] = recorded("smooth").facts(RecordingEnded)
        assert ended.why == "ended"

    def test_says_what_could_not_be_had(self, recorded):
        [uploaded] = recorded("smooth_with_a_hole").facts(Uploaded)
        assert uploaded.completeness.segments_expected - uploaded.completeness.segments_kept == 1
