"""Progressive HTTP, fetched from real servers on loopback."""

import http.server
import threading

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.progressive import HttpFetcher

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
