"""Endless responses: MPEG-TS and internet radio."""

from __future__ import annotations

import time

import pytest

from services.recorder.tests.varieties.recorded import Comparison, compare

WANTED_OF_RADIO = 14


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


SOURCES = {one.__name__: one for one in (*(tv, mp3, aac, ogg, titled),)}


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
