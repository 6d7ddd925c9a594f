"""Requests as fetchers make them: over kept connections, in time, with what belongs to a host."""

from __future__ import annotations

import gzip
import http.server
import socket
import threading
import time
import zlib
from base64 import b64encode
from email.message import Message

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.deadlines import Deadlines
from recorder.adapters.fetching.http_client import HttpClient, HttpTrouble

ENOUGH = {"most": 100_000, "within": 10.0}


class Answering(http.server.ThreadingHTTPServer):
    """`seen` are the headers of requests, `visitors` the ports that they came from."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Message] = []
        self.visitors: list[int] = []

    def handle_error(self, *_):
        """A client goes away when it has had enough."""

    def url(self, path="/plain", who=""):
        return f"http://{who}127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.headers)
        self.server.visitors.append(self.client_address[1])
        getattr(self, self.path.partition("?")[0].strip("/") or "plain")()

    do_HEAD = do_GET  # noqa: N815 - the name that the library looks for

    def answer(self, body=b"hello", status=200, **headers):
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def plain(self):
        self.answer()

    def gone(self):
        self.answer(b"", 410)

    def zipped(self):
        self.answer(gzip.compress(b"hello"), Content_Encoding="gzip")

    def deflated(self):
        self.answer(zlib.compress(b"hello"), Content_Encoding="deflate")

    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")

    def short(self):
        self.answer(Content_Length="9")
        self.close_connection = True

    def away(self):
        self.answer(b"gone there", 302, Location="/plain?\u00fc".encode().decode("latin-1"))

    def closing(self):
        self.answer()
        self.close_connection = True  # without having said so

    def dripping(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(100):
            self.wfile.write(b".")
            time.sleep(0.05)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def running():
    opened = Answering()
    threading.Thread(target=opened.serve_forever, args=[0.02], daemon=True).start()
    yield opened
    opened.shutdown()
    opened.server_close()


@pytest.fixture
def server(running):
    running.seen.clear()
    running.visitors.clear()
    return running


@pytest.fixture
def client():
    access = Access({"user-agent": "Mine"}, allow_private=True)
    return HttpClient(access, {"User-Agent": "Another", "X-Own": "1"})


class TestHttpClient:
    @pytest.mark.parametrize("path", ["/plain", "/zipped", "/deflated", "/chunked", "/away"])
    def test_reads_bodies_of_all_kinds(self, server, client, path):
        answer = client.get(server.url(path), **ENOUGH)
        assert (answer.status, answer.content) == (200, b"hello")

    def test_says_where_a_redirect_led(self, server, client):
        assert client.get(server.url("/away"), **ENOUGH).url == server.url("/plain?\u00fc")

    def test_keeps_connections(self, server, client):
        for path in ("/plain", "/zipped", "/chunked", "/gone", "/away", "/plain"):
            client.get(server.url(path), **ENOUGH)
        with client.open(server.url(), method="HEAD") as opened:
            assert opened.headers["Content-Length"] == "5"
        assert len(set(server.visitors[:-1])) == 1, "of HEAD the body was not read"

    def test_opens_another_where_the_kept_one_was_closed(self, server, client):
        for _ in range(5):
            assert client.get(server.url("/closing"), **ENOUGH).content == b"hello"

    def test_asks_again_where_it_was_closed_in_the_moment_of_asking(self, client):
        """A server that closes when it reads the second request of a connection."""
        listening = socket.create_server(("127.0.0.1", 0))

        def serve():
            for _ in range(2):
                taken, _address = listening.accept()
                with taken:
                    taken.recv(65536)
                    taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    taken.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with listening:
            assert [client.get(url, **ENOUGH).content for _ in range(2)] == [b"ok", b"ok"]

    def test_takes_the_headers_of_the_stream_before_its_own(self, server, client):
        client.get(server.url(), headers={"range": "bytes=0-4"}, **ENOUGH)
        seen = server.seen[0]
        assert seen.get_all("User-Agent") == ["Mine"]
        assert (seen["X-Own"], seen["Range"]) == ("1", "bytes=0-4")

    def test_shows_the_name_and_password_of_an_address(self, server, client):
        client.get(server.url(who="me:pass%20word@"), **ENOUGH)
        assert server.seen[0]["Authorization"] == f"Basic {b64encode(b'me:pass word').decode()}"

    def test_hands_any_status_on_and_checks_it_where_that_is_asked(self, server, client):
        assert client.get(server.url("/gone"), **ENOUGH).status == 410
        with (
            client.open(server.url("/gone")) as opened,
            pytest.raises(HttpTrouble, match="status 410") as caught,
        ):
            opened.check()
        assert caught.value.status == 410

    @pytest.mark.parametrize("path", ["/plain", "/zipped", "/chunked"])
    def test_takes_no_body_that_is_too_large(self, server, client, path):
        with pytest.raises(HttpTrouble, match="more than 3 bytes"):
            client.get(server.url(path), most=3, within=10)

    def test_takes_no_body_that_takes_too_long(self, server, client):
        with pytest.raises(HttpTrouble, match=r"takes more than 0.3 s"):
            client.get(server.url("/dripping"), most=1000, within=0.3)

    def test_takes_no_half_of_a_body(self, server, client):
        with pytest.raises(HttpTrouble):
            client.get(server.url("/short"), **ENOUGH)

    @pytest.mark.parametrize(
        "url",
        ["file:///etc/passwd", "/etc/passwd", "ftp://127.0.0.1/a", "http://", "http://[::1", ""],
    )
    def test_asks_for_nothing_but_http(self, client, url):
        with pytest.raises(HttpTrouble):
            client.get(url, **ENOUGH)

    def test_says_what_is_the_matter(self, client):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(HttpTrouble, match="refused"):
            client.get(f"http://127.0.0.1:{port}/", **ENOUGH)


def watchers():
    return {thread for thread in threading.enumerate() if thread.name == "deadlines"}


class TestDeadlines:
    def test_act_on_what_is_late_and_on_nothing_else(self):
        deadlines, late, early = Deadlines(), threading.Event(), threading.Event()
        with deadlines.within(60, early.set):
            pass
        # Sooner than all that it knows of.
        with deadlines.within(0.1, late.set):
            assert late.wait(10)
        assert not early.is_set()

    def test_are_kept_by_one_thread(self):
        deadlines, before = Deadlines(), watchers()
        for _ in range(50):
            with deadlines.within(30, pytest.fail):
                pass
        assert len(watchers() - before) == 1
