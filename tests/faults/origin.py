"""The origin: serves an encoder's stream on 127.0.0.1, and what a fault makes of it."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Protocol

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

from tests.faults.encoder import Encoder, Entry

HLS, TS, PLAIN = "application/vnd.apple.mpegurl", "video/mp2t", "text/plain"


class Meddler(Protocol):
    """What may answer in the origin's place."""

    def answer(self, request: Request) -> bool:
        """Answer, and return True; or leave it to the origin."""


class Request:
    """One request, by what it is for; `entry` is the segment that it names."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler, origin: Origin) -> None:
        self.path = handler.path.partition("?")[0]
        self.entry: Entry | None = origin.encoder.entry(self.path)
        self.is_playlist = self.path.endswith(".m3u8")
        self._handler = handler
        self._origin = origin

    def header(self, name: str) -> str | None:
        """What the request says of a header."""
        value: str | None = self._handler.headers[name]
        return value

    @property
    def playlist(self) -> str | None:
        """What the origin would answer for the playlist; None for what is none."""
        return self._origin.encoder.playlist() if self.is_playlist else None

    @property
    def body(self) -> bytes:
        """What the origin would answer for a segment."""
        assert self.entry is not None
        return encrypted(self.entry)

    def send(self, status: int, kind: str, body: bytes) -> None:
        """Send a whole, truthful answer."""
        self.begin(status, kind, length=len(body))
        self.write(body)

    def begin(
        self,
        status: int,
        kind: str,
        *,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the head; without a length the connection's end is the body's end."""
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            self._handler.send_header(name, value)
        if length is None:
            self._handler.send_header("Connection", "close")
            self._handler.close_connection = True
        else:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def write(self, data: bytes) -> None:
        """Send a part of the body."""
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def hang_up(self) -> None:
        """Close the connection, whatever was promised."""
        self._handler.close_connection = True

    def wait_while(self, condition: Callable[[], bool]) -> None:
        """Say nothing for as long as something holds, and the origin is open."""
        while condition() and self._origin.is_open:
            time.sleep(0.05)

    @property
    def is_wanted(self) -> bool:
        """Whether the origin goes on answering."""
        return self._origin.is_open


class Origin:
    """One live stream at `url`; `meddlers` are asked first."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.meddlers: list[Meddler] = []
        self.is_open = True
        self._server = self._listen(0)
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        """Where the playlist is."""
        return f"http://127.0.0.1:{self.port}/live.m3u8"

    def stop_listening(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()

    def listen_again(self) -> None:
        """Take connections again, at the same port."""
        self._server = self._listen(self.port)

    def close(self) -> None:
        """End everything."""
        self.is_open = False
        self.encoder.close()
        self.stop_listening()

    def answer(self, request: Request) -> None:
        """Answer truthfully, unless a fault has its say."""
        if any(meddler.answer(request) for meddler in list(self.meddlers)):
            return
        if (text := request.playlist) is not None:
            request.send(200, HLS, text.encode())
        elif request.entry is not None:
            request.send(200, TS, request.body)
        elif request.path.startswith("/keys/"):
            request.send(200, PLAIN, key(request.path.rpartition("/")[2]))
        else:
            request.send(404, PLAIN, b"")

    def _listen(self, port: int) -> http.server.ThreadingHTTPServer:
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):
                    origin.answer(Request(self, origin))
                    return
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        server = _Server(("127.0.0.1", port), Handler)
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return server


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what half of the faults are about."""


def key(name: str) -> bytes:
    """Return the AES-128 key of a name."""
    return md5(name.encode()).digest()


def encrypted(entry: Entry, name: str | None = None) -> bytes:
    """Return a segment's media as its playlist says: with the key named there, or plain."""
    tag = next((tag for tag in entry.tags if tag.startswith("#EXT-X-KEY")), None)
    if tag is None:
        return entry.data
    secret = key(name or tag.rpartition("/")[2].rstrip('"'))
    # RFC 8216, 5.2: without an IV, the media sequence number is the IV.
    cipher = AES.new(secret, AES.MODE_CBC, entry.number.to_bytes(16, "big"))
    return cipher.encrypt(pad(entry.data, AES.block_size))
