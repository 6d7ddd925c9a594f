"""Progressive HTTP and DASH, fetched from real servers on loopback."""

import http.server
import threading
from functools import partial

import pytest
from recorder.adapters.access import Access
from recorder.adapters.dash import DashFetcher
from recorder.adapters.http import HttpFetcher
from recorder.adapters.manifest import UnreadableManifest, with_addresses

from services.recorder.tests.process import ffmpeg
from services.recorder.tests.test_hls import Kept


class Server:
    """A server whose answers are a list of functions, one for each request."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.ranges: list[str | None] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.ranges.append(self.headers.get("Range"))
                outer.answers.pop(0)(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/live.ts?sig=abc"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def send(status, body=b"", **headers):
    def answer(request):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), str(value))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.fixture
def serving():
    opened = []

    def serve(*answers):
        opened.append(Server(*answers))
        return opened[-1]

    yield serve
    for server in opened:
        server.close()


def fetched(server, *, is_film=False):
    """Let a fetcher come to its end; return what it kept and why it ended."""
    sink = Kept()
    fetcher = HttpFetcher(server.url, sink, access=Access(allow_private=True), is_film=is_film)
    fetcher.start()
    fetcher._thread.join(20)
    fetcher.close()
    assert fetcher.end is not None
    return bytes(sink.data), fetcher.end


class TestHttpFetcher:
    def test_takes_a_whole_file(self, serving):
        body = b"\x47" + b"x" * 100_000
        data, end = fetched(serving(send(200, body, Content_Length=len(body))))
        assert (data, end.kind) == (body, "ended")

    def test_goes_on_where_a_file_broke_off(self, serving):
        server = serving(
            send(200, b"\x47abc", Content_Length=8),
            send(206, b"defg", Content_Length=4, Content_Range="bytes 4-7/8"),
        )
        data, end = fetched(server)
        assert (data, end.kind) == (b"\x47abcdefg", "ended")
        assert server.ranges == [None, "bytes=4-"]

    def test_connects_again_when_a_live_server_closes(self, serving):
        server = serving(send(200, b"\x47one"), send(200, b"\x47two"), send(410))
        data, end = fetched(server)
        assert (data, end.kind) == (b"\x47one\x47two", "refused")

    def test_takes_the_end_of_a_film_for_the_end(self, serving):
        data, end = fetched(serving(send(200, b"\x47one")), is_film=True)
        assert (data, end.kind) == (b"\x47one", "ended")


@pytest.fixture(scope="module")
def dash_folder(tmp_path_factory):
    """A DASH presentation of three seconds, and a server of it."""
    folder = tmp_path_factory.mktemp("dash")
    ffmpeg().run(
        [
            *("-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "3"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"),
            *("-f", "dash", "-seg_duration", "1", str(folder / "film.mpd")),
        ]
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/film.mpd"
    server.shutdown()
    server.server_close()


class TestDashFetcher:
    def run(self, url, *, allow_private):
        sink = Kept()
        fetcher = DashFetcher(
            ffmpeg(), url, sink, access=Access(allow_private=allow_private), is_film=True
        )
        fetcher.start()
        fetcher._thread.join(30)
        fetcher.close()
        assert fetcher.end is not None
        return sink, fetcher.end

    def test_takes_sound_and_picture_to_their_end(self, dash_folder, tmp_path):
        sink, end = self.run(dash_folder, allow_private=True)
        assert end.kind == "ended"
        made = tmp_path / "made.ts"
        made.write_bytes(sink.data)
        _, said = ffmpeg().run(["-i", f"file:{made}", "-map", "0", "-c", "copy", "-f", "null", "-"])
        assert "Video: h264" in said
        assert "Audio: aac" in said
        assert "time=00:00:0" in said

    def test_reaches_no_private_address_unless_that_is_allowed(self, dash_folder):
        sink, end = self.run(dash_folder, allow_private=False)
        assert end.kind == "broken"
        assert not sink.data


class TestWithAddresses:
    def test_leads_every_absolute_address_through_the_relay(self):
        manifest = b"""<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>
          <BaseURL>http://10.0.0.1/x/</BaseURL><AdaptationSet>
          <SegmentTemplate media="seg-$Number$.m4s" initialization="/root/init.mp4"/>
          </AdaptationSet></Period></MPD>"""
        made = with_addresses(manifest, "https://h/a/m.mpd", lambda url: f"relay:{url}").decode()
        assert "<BaseURL>relay:https://h/a/</BaseURL>" in made
        assert "<BaseURL>relay:http://10.0.0.1/x/</BaseURL>" in made
        assert 'media="seg-$Number$.m4s"' in made
        assert 'initialization="relay:https://h/root/init.mp4"' in made

    @pytest.mark.parametrize("body", [b"<MPD", b"", b"#EXTM3U", b"<!DOCTYPE html><br>"])
    def test_refuses_what_it_cannot_read(self, body):
        with pytest.raises(UnreadableManifest):
            with_addresses(body, "https://h/m.mpd", str)
