"""HTTPS: whom a certificate does not name, or nobody vouches for, is not talked to."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from pathlib import Path

import pytest
from recorder.adapters.fetching import connections
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.http_client import HttpClient, HttpTrouble

# A certificate for secure.test that vouches for itself, with its key, for a hundred years; made by
# `openssl req -x509 -newkey ec -nodes`.
PEM = Path(__file__).with_name("secure_test.pem")
ENOUGH = {"most": 100_000, "within": 10.0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        if self.path == "/dripping":
            self.end_headers()
            self.close_connection = True
            for _ in range(100):
                self.wfile.write(b".")
                time.sleep(0.05)
            return
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


class Secure(http.server.ThreadingHTTPServer):
    """A server that speaks TLS; `accepted` counts its connections."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.accepted = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(PEM)

    def get_request(self):
        taken, address = super().get_request()
        self.accepted += 1
        # The handshake is the handler's: whoever refuses it must not keep others waiting.
        secure = self._context.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
        return secure, address

    def handle_error(self, *_):
        """A client went away in the middle of the handshake, or of an answer."""

    def url(self, path="/", host="secure.test"):
        return f"https://{host}:{self.server_port}{path}"


@pytest.fixture
def server():
    opened = Secure()
    threading.Thread(target=opened.serve_forever, args=[0.02], daemon=True).start()
    yield opened
    opened.shutdown()
    opened.server_close()


@pytest.fixture
def client():
    made = HttpClient(Access(allow_private=True))
    made.connections.vet = lambda *_: ["127.0.0.1"]
    return made


@pytest.fixture
def _vouched_for(monkeypatch):
    context = ssl.create_default_context(cafile=str(PEM))
    monkeypatch.setattr(connections, "_context", lambda: context)


class TestSecureConnections:
    @pytest.mark.usefixtures("_vouched_for")
    def test_lead_to_whom_the_certificate_names(self, server, client):
        answers = [client.get(server.url(), **ENOUGH).content for _ in range(3)]
        assert answers == [b"hello"] * 3
        assert server.accepted == 1, "they are kept"

    @pytest.mark.usefixtures("_vouched_for")
    def test_lead_to_nobody_else_at_its_address(self, server, client):
        with pytest.raises(HttpTrouble, match="certificate"):
            client.get(server.url(host="other.test"), **ENOUGH)

    def test_need_somebody_who_vouches_for_it(self, server, client):
        with pytest.raises(HttpTrouble, match="certificate"):
            client.get(server.url(), **ENOUGH)

    @pytest.mark.usefixtures("_vouched_for")
    def test_are_hung_up_when_it_takes_too_long(self, server, client):
        with pytest.raises(HttpTrouble, match="takes more than"):
            client.get(server.url("/dripping"), most=1000, within=0.3)
