"""DASH, and endless responses: MPEG-TS and internet radio."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_contracts.recorder import RecordingEnded, RecordingStarted

from services.recorder.tests.varieties.media import SECONDS
from services.recorder.tests.varieties.recorded import Comparison, compare

WANTED_OF_RADIO = 14
WANTED = 6  # seconds of an endless source: those of DASH come as slowly as they pass


def _presentation(station, media, folder, *arguments):
    made = media.as_(
        *(*arguments, "-c", "copy", "-f", "dash", "-seg_duration", "1"), name=f"{folder}.mpd"
    )
    for path in made.parent.iterdir():
        station.files[f"/{folder}/{path.name}"] = path.read_bytes()
    return made.read_text()


def dash_film(station, media, other):
    _presentation(station, media, "dashfilm")
    return f"{station.url}/dashfilm/dashfilm.mpd", {}


def _live_dash(station, media, folder, timeline):
    """The presentation on air: its first four seconds have passed when it is asked for first."""
    whole = _presentation(station, media, folder, "-use_timeline", str(timeline))
    whole = re.sub(r'mediaPresentationDuration="[^"]*"', "", whole)
    began: list[datetime] = []

    def page():
        now = datetime.now(UTC)
        began[:] = began or [now - timedelta(seconds=4)]
        passed = int((now - began[0]).total_seconds())
        head = (
            f'type="dynamic" availabilityStartTime="{began[0]:%Y-%m-%dT%H:%M:%S.%fZ}" '
            f'minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT10S" '
            f'publishTime="{now:%Y-%m-%dT%H:%M:%SZ}"'
        )
        text = whole.replace('type="static"', head)
        return _window_of(text, passed) if timeline else text

    path = f"/{folder}/live.mpd"
    station.pages[path] = page
    return f"{station.url}{path}", {"CHRONICLE_MAX_DURATION": str(WANTED)}


def _window_of(manifest: str, count: int) -> str:
    """Leave the newest five of the first `count` segments, as a packager of live streams does."""
    first = max(0, count - 5)

    def shortened(found: re.Match[str]) -> str:
        lengths: list[int] = []
        for length, repeats in re.findall(r'<S [^>]*?d="(\d+)"(?: r="(\d+)")?', found[0]):
            lengths += [int(length)] * (1 + int(repeats or 0))
        kept = "".join(f'<S d="{length}"/>' for length in lengths[first:count])
        kept = kept.replace("<S ", f'<S t="{sum(lengths[:first])}" ', 1)
        return f"<SegmentTimeline>{kept}</SegmentTimeline>"

    manifest = manifest.replace('startNumber="1"', f'startNumber="{1 + first}"')
    return re.sub(r"<SegmentTimeline>.*?</SegmentTimeline>", shortened, manifest, flags=re.DOTALL)


def dash_numbers(station, media, other):
    return _live_dash(station, media, "numbers", 0)


def dash_times(station, media, other):
    return _live_dash(station, media, "times", 1)


def _endless(station, path, kind, body, *, responses=1, **headers):
    """The body in some responses, which the server closes; then it goes on about nothing."""
    state = {"answered": 0}
    part = -(-len(body) // responses // 188) * 188

    def stream(request):
        request.send_response(200)
        request.send_header("Content-Type", kind)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), str(value))
        request.end_headers()
        at = state["answered"] * part
        piece = body[at : at + part]
        for start in range(0, len(piece), 16_000):
            request.wfile.write(piece[start : start + 16_000])
            time.sleep(0.02)
        state["answered"] += 1
        if at + part >= len(body):
            time.sleep(60)  # the line stays open, and silent

    station.streams[path] = stream
    return f"{station.url}{path}"


def tv(station, media, other):
    """MPEG-TS from a server that closes twice."""
    body = media.as_("-c", "copy", name="whole.ts").read_bytes()
    url = _endless(station, "/tv.ts", "video/mp2t", body, responses=3)
    return url, {"CHRONICLE_MAX_DURATION": "15"}


RADIO = {"icy_name": "Radio Gala", "icy_br": 48, "Server": "Icecast 2.4.4"}


def mp3(station, media, other):
    body = media.as_("-vn", "-c:a", "libmp3lame", name="radio.mp3").read_bytes()
    url = _endless(station, "/radio.mp3", "audio/mpeg", body, **RADIO)
    return url, {"CHRONICLE_MAX_DURATION": str(WANTED_OF_RADIO)}


def aac(station, media, other):
    body = media.as_("-vn", "-c", "copy", "-f", "adts", name="radio.aac").read_bytes()
    url = _endless(station, "/radio.aac", "audio/aac", body, **RADIO)
    return url, {"CHRONICLE_MAX_DURATION": str(WANTED_OF_RADIO)}


def ogg(station, media, other):
    body = media.as_("-vn", "-c:a", "libopus", name="radio.ogg").read_bytes()
    url = _endless(station, "/radio.ogg", "application/ogg", body, **RADIO)
    return url, {"CHRONICLE_MAX_DURATION": str(WANTED_OF_RADIO)}


def titled(station, media, other):
    """Radio that puts titles between its sound although nobody asked for them."""
    sound = media.as_("-vn", "-c", "copy", "-f", "adts", name="radio.aac").read_bytes()
    every, title = 4096, b"StreamTitle='Gala';"
    block = bytes([2]) + title.ljust(32, b"\0")
    body = b"".join(
        sound[at : at + every] + (block if at + every <= len(sound) else b"")
        for at in range(0, len(sound), every)
    )
    url = _endless(station, "/titled.aac", "audio/aac", body, **RADIO, icy_metaint=every)
    return url, {"CHRONICLE_MAX_DURATION": str(WANTED_OF_RADIO)}


def _sizes(station, media, other, folder):
    """The smaller picture is listed first."""
    _presentation(
        station, media, folder, "-i", str(other.path), "-map", "0:v", "-map", "1:v", "-map", "0:a"
    )
    return f"{station.url}/{folder}/{folder}.mpd"


def dash_best(station, media, other):
    return _sizes(station, media, other, "sizes"), {}


def dash_limited(station, media, other):
    return _sizes(station, media, other, "limited"), {"CHRONICLE_QUALITY": "90p"}


SOURCES = {
    one.__name__: one
    for one in (
        *(dash_numbers, dash_times, dash_film, dash_best, dash_limited),
        *(tv, mp3, aac, ogg, titled),
    )
}


class TestDash:
    @pytest.mark.parametrize(("name", "at_the_cut"), [("dash_film", 0), ("dash_numbers", 3)])
    def test_is_recorded_without_a_gap_and_in_sync(self, recorded, media, name, at_the_cut):
        result = recorded(name)
        assert result.shape == ("h264", "aac"), result.log
        assert result.complaints() == ""
        picture, sound = compare(result.path, media.path)
        # Where a live one is cut off, a picture may be missing that came after its neighbours.
        assert picture.without_last(at_the_cut).is_gapless
        assert sound.is_gapless
        assert abs(picture.shift - sound.shift) < 0.1

    def test_of_a_film_is_whole_and_ends_by_itself(self, recorded):
        [ended] = recorded("dash_film").facts(RecordingEnded)
        assert ended.why == "ended"
        # The first picture of this packager is shown 0.08 s after its sound begins.
        assert recorded("dash_film").seconds == pytest.approx(SECONDS, abs=0.2)

    def test_is_recorded_in_the_best_size_or_the_one_that_is_asked_for(self, recorded):
        [best] = recorded("dash_best").facts(RecordingStarted)
        [limited] = recorded("dash_limited").facts(RecordingStarted)
        assert (best.media.height, limited.media.height) == (180, 90)

    def test_with_uneven_times_repeats_nothing(self, recorded, media):
        assert Comparison.of(recorded("dash_times").path, media.path, "a").is_gapless


class TestEndlessResponse:
    def test_of_television_goes_on_where_the_server_closed(self, recorded, media):
        result = recorded("tv")
        assert result.shape == ("h264", "aac"), result.log
        assert result.complaints() == ""
        picture, sound = compare(result.path, media.path)
        assert picture.is_gapless
        assert sound.is_gapless
        assert abs(picture.shift - sound.shift) < 0.1

    @pytest.mark.parametrize(("name", "codec"), [("mp3", "mp3"), ("aac", "aac"), ("ogg", "opus")])
    def test_of_radio_is_recorded_in_its_own_codec(self, recorded, name, codec):
        result = recorded(name)
        assert result.shape == (None, codec), result.log
        assert result.complaints() == ""
        assert result.seconds >= WANTED_OF_RADIO

    def test_is_freed_of_titles_between_the_sound(self, recorded, media):
        result = recorded("titled")
        assert result.complaints() == ""
        assert Comparison.of(result.path, media.path, "a").is_gapless
