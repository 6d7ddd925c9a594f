"""A relay on loopback for a program that fetches by itself: it asks us, we fetch.

So every address is vetted at the moment of connecting (redirects and segments too), no cookie,
header or signed URL stands in an argument list, and the program needs no network but 127.0.0.1.
A URL keeps its shape behind a secret first part, so relative references find their way:
`http://127.0.0.1:<port>/<secret>/https/<host>/<path>?<query>`.

The program is told to use the relay as its proxy too. So a request for any other address comes
here as well, and is refused: nothing depends on finding every address in a manifest.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

import structlog
from chronicle_sources.errors import shown, without_secrets
from requests import RequestException, Response, Session
from urllib3.exceptions import HTTPError

from recorder.adapters.bounded_http import bounded
from recorder.adapters.manifest import UnreadableManifest, with_addresses

log = structlog.get_logger(__name__)

CHUNK = 64 * 1024
TIMEOUT = (10.0, 10.0)  # seconds to connect, seconds without a byte
MOST_OF_MANIFEST = 8 * 1024 * 1024  # bytes; a day of segments, each with a line of its own
MANIFEST_WITHIN = 20.0  # seconds
_PASSED_BACK = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")


class Loopback:
    """Serves what lies behind one URL; `start_url` is where the program begins."""

    def __init__(self, session: Session, url: str) -> None:
        self._secret = secrets.token_urlsafe(24)
        self._session = session
        self._begin = url
        self.trouble = ""  # what went wrong last, for people
        handler = type("Handler", (_Handler,), {"relay": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the relay listens, as a proxy's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def start_url(self) -> str:
        """An address that tells nothing; the manifest that it serves says where the rest is."""
        return f"{self._root}/start"

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def _root(self) -> str:
        return f"{self.address}/{self._secret}"

    def local(self, url: str) -> str:
        """Return the address under which we serve a URL; other schemes stay as they are."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._root}/{parts.scheme}/{parts.netloc}{parts.path}{query}"

    def is_start(self, asked: str) -> bool:
        """Return whether the manifest is asked for."""
        return asked.removeprefix(self.address) == f"/{self._secret}/start"

    def origin(self, asked: str) -> str | None:
        """Return the URL that one of our addresses stands for; None where it is none of ours."""
        path = asked.removeprefix(self.address)
        root, _, rest = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(root.encode(), self._secret.encode()):
            return None
        scheme, _, place = rest.partition("/")
        return f"{scheme}://{place}" if scheme in {"http", "https"} else None

    def manifest(self) -> bytes:
        """Return the manifest, all of its addresses led through here.

        Raises `RequestException`, `UnreadableManifest`.
        """
        hooks = bounded(most=MOST_OF_MANIFEST, within=MANIFEST_WITHIN)
        with self._session.get(self._begin, stream=True, timeout=TIMEOUT, hooks=hooks) as answer:
            answer.raise_for_status()
            return with_addresses(answer.content, answer.url, self.local)

    def fetch(self, url: str, byte_range: str | None) -> Response:
        """Ask the origin for media."""
        # What is passed on keeps the length that was announced.
        headers = {"Accept-Encoding": "identity"}
        if byte_range:
            headers["Range"] = byte_range
        return self._session.get(url, headers=headers, stream=True, timeout=TIMEOUT)


class _Handler(BaseHTTPRequestHandler):
    relay: ClassVar[Loopback]

    def do_GET(self) -> None:
        # The program may go away at any moment.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            try:
                self._answer()
            except (RequestException, HTTPError, UnreadableManifest) as error:
                self.relay.trouble = without_secrets(str(error))
                self._say(502, {})

    def _answer(self) -> None:
        if self.relay.is_start(self.path):
            body = self.relay.manifest()
            self._say(200, {"Content-Type": "application/dash+xml"}, len(body))
            self.wfile.write(body)
        elif (url := self.relay.origin(self.path)) is None:
            log.warning("address_refused", address=shown(self.path))
            self.relay.trouble = "the manifest leads to an address in a way that is not supported"
            self._say(403, {})
        else:
            with self.relay.fetch(url, self.headers.get("Range")) as answer:
                self._pass_on(answer)

    def _pass_on(self, answer: Response) -> None:
        self.relay.trouble = ""
        passed = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        self._say(answer.status_code, passed, None)
        # Not iter_content: a drip would be waited for although the program is gone.
        while chunk := answer.raw.read1(CHUNK):
            self.wfile.write(chunk)

    def _say(self, status: int, headers: dict[str, str], length: int | None = 0) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
