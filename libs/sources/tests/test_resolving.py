"""Resolving against real servers on loopback."""

import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from chronicle_sources import SourceError, resolve

HLS = "application/vnd.apple.mpegurl"
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:5\n#EXTINF:1,\na.ts\n"
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,CODECS="avc1.4d401e,mp4a.40.2"
live.m3u8?low
#EXT-X-STREAM-INF:BANDWIDTH=1500000,RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"
live.m3u8?high
"""
DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"
 availabilityStartTime="2026-01-01T00:00:00Z" profiles="urn:mpeg:dash:profile:isoff-live:2011">
<Period><AdaptationSet mimeType="video/mp4"><SegmentTemplate duration="2" startNumber="1"
 media="v$Number$.m4s" initialization="v.mp4"/><Representation id="v" bandwidth="500000"
 width="320" height="180" codecs="avc1.4d401e"/></AdaptationSet></Period></MPD>"""

NO_LENGTH = DASH.replace('duration="2" ', "")
TIMELINE = NO_LENGTH.replace('v.mp4"/>', 'v.mp4"><SegmentTimeline/></SegmentTemplate>')
LIST = re.sub("<SegmentTemplate.*?/>", '<SegmentList duration="2"/>', DASH, flags=re.DOTALL)

ROUTES = {
    "/live.m3u8": (200, HLS, MEDIA),
    "/over.m3u8": (200, HLS, MEDIA + "#EXT-X-ENDLIST\n"),
    "/master.m3u8": (200, HLS, MASTER),
    "/live.mpd": (200, "application/dash+xml", DASH),
    "/over.mpd": (200, "application/dash+xml", DASH.replace('type="dynamic"', 'type="static"')),
    "/nothing-by-number.mpd": (200, "application/dash+xml", TIMELINE),
    "/nothing-by-time.mpd": (200, "application/dash+xml", TIMELINE.replace("$Number$", "$Time$")),
    "/nothing-listed.mpd": (200, "application/dash+xml", LIST),
    "/empty.mpd": (200, "application/dash+xml", ""),
    "/half.mpd": (200, "application/dash+xml", DASH[:300]),
    "/empty.m3u8": (200, HLS, ""),
    "/page": (200, "text/html", "<html><title>News</title>No stream here</html>"),
    "/film.mp4": (200, "video/mp4", "\0\0\0\x18ftypmp42" + "0" * 1000),
    "/secret.m3u8": (403, "text/plain", "no"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, kind, body = ROUTES.get(self.path.partition("?")[0], (404, "text/plain", "none"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def listener():
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield mute


def kill_the_child_that_asks(server):
    """Kill the child of this process that resolves, at its first request."""
    connection, _ = server.accept()
    with connection:
        children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        for pid in [int(one) for path in children for one in path.read_text().split()]:
            if b"chronicle_sources.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def look_at(url, timeout=60.0, **options):
    return resolve(url, timeout=timeout, allow_private=True, **options)


def refusal_of(url, **options):
    with pytest.raises(SourceError) as caught:
        look_at(url, **options)
    return caught.value


class TestResolve:
    def test_finds_a_live_playlist(self, site):
        found = look_at(f"{site}/live.m3u8?token=abc")
        assert (found.live_status, found.protocol) == ("live", "hls")
        assert found.media_url == f"{site}/live.m3u8?token=abc"
        assert "User-Agent" in found.headers

    def test_tells_a_finished_playlist_from_a_live_one(self, site):
        assert look_at(f"{site}/over.m3u8").live_status == "finished"

    def test_tells_a_finished_manifest_from_a_live_one(self, site):
        assert look_at(f"{site}/over.mpd").live_status == "finished"

    def test_takes_the_best_variant_of_a_master_playlist(self, site):
        found = look_at(f"{site}/master.m3u8")
        assert found.media_url == f"{site}/live.m3u8?high"
        assert (found.width, found.height) == (640, 360)

    def test_takes_the_variant_that_was_asked_for(self, site):
        assert look_at(f"{site}/master.m3u8", quality="200p").height == 180

    def test_titles_a_live_stream_without_the_moment_of_the_look(self, site):
        assert look_at(f"{site}/live.m3u8").title == "live"

    def test_finds_live_dash(self, site):
        found = look_at(f"{site}/live.mpd")
        assert (found.live_status, found.protocol) == ("live", "dash")
        assert found.media_url == f"{site}/live.mpd"

    @pytest.mark.parametrize("way", ["by-number", "by-time", "listed"])
    def test_finds_live_dash_that_has_no_segments_yet(self, site, way):
        found = look_at(f"{site}/nothing-{way}.mpd")
        assert (found.live_status, found.protocol) == ("live", "dash")

    @pytest.mark.parametrize("name", ["empty.mpd", "half.mpd", "empty.m3u8"])
    def test_finds_no_stream_in_a_manifest_that_is_being_written(self, site, name):
        assert refusal_of(f"{site}/{name}").code == "no_stream"

    @pytest.mark.parametrize("name", ["live.m3u8", "live.mpd"])
    def test_finds_what_has_no_way_of_its_own_to_the_start(self, site, name):
        assert look_at(f"{site}/{name}", live_from_start=True).live_status == "live"

    def test_finds_a_plain_file(self, site):
        found = look_at(f"{site}/film.mp4")
        assert (found.protocol, found.media_url) == ("http", f"{site}/film.mp4")

    @pytest.mark.parametrize(
        ("path", "code"),
        [("/page", "no_stream"), ("/gone.m3u8", "not_found"), ("/secret.m3u8", "forbidden")],
    )
    def test_says_why_there_is_nothing(self, site, path, code):
        refusal = refusal_of(f"{site}{path}?sig=abc")
        assert refusal.code == code
        assert "abc" not in refusal.detail

    def test_says_that_nobody_listens(self, listener):
        port = listener.getsockname()[1]
        listener.close()
        refusal = refusal_of(f"http://127.0.0.1:{port}/live.m3u8")
        assert refusal.code == "unreachable"
        assert refusal.detail.endswith("cannot be reached. (Connection refused)")

    def test_says_that_a_quality_is_not_understood(self, site):
        assert refusal_of(f"{site}/live.m3u8", quality="best[").code == "unsupported"

    def test_ends_at_the_time_limit_and_leaves_no_child(self, listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/live.m3u8"
        refusal = refusal_of(url, timeout=1.5)
        assert refusal.code == "timeout"
        assert not children_that_resolve()

    def test_says_of_a_child_that_was_killed_nothing_about_the_url(self, listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/live.m3u8"
        killer = threading.Thread(target=kill_the_child_that_asks, args=(listener,))
        killer.start()
        refusal = refusal_of(url)
        killer.join()
        assert refusal.code == "timeout"
        assert "killed (SIGKILL)" in refusal.detail

    def test_refuses_private_addresses_unless_they_are_allowed(self, site):
        with pytest.raises(SourceError) as caught:
            resolve(f"{site}/live.m3u8", timeout=5)
        assert caught.value.code == "forbidden_address"


def children_that_resolve():
    """The children of this process that still resolve; they are killed, so soon there is none."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        lines = [Path(f"/proc/{pid}/cmdline") for pid in pids]
        left = [one for one in lines if one.exists() and b"chronicle_sources" in one.read_bytes()]
        if not left:
            return []
        time.sleep(0.05)
    return left


class TestChild:
    def test_refuses_private_addresses_that_turn_up_later(self):
        script = (
            "from chronicle_sources import child\n"
            "from chronicle_sources.exchange import Request\n"
            "child.guard_connections()\n"
            "print(child.answer(Request(url='http://127.0.0.1:9/live.m3u8')).code)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.strip() == "forbidden_address"
