"""A relay on loopback for a program that fetches by itself: it asks us, we fetch.

So every address is vetted at the moment of connecting (redirects and segments too), no cookie,
header or signed URL stands in an argument list, and the program needs no network but 127.0.0.1.
A URL keeps its shape behind a secret first part, so relative references find their way:
`http://127.0.0.1:<port>/<secret>/https/<host>/<path>?<query>`.
"""

from __future__ import annotations

import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

from requests import RequestException, Response, Session

from recorder.adapters.manifest import is_manifest, with_addresses

CHUNK = 64 * 1024
TIMEOUT = (10.0, 10.0)  # seconds to connect, seconds without a byte
_PASSED_BACK = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")


class Loopback:
    """Serves what lies behind one URL; `start_url` is where the program begins."""

    def __init__(self, session: Session, url: str) -> None:
        self._secret = secrets.token_urlsafe(24)
        self._session = session
        self._begin = url
        handler = type("Handler", (_Handler,), {"relay": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

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
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}"

    def local(self, url: str) -> str:
        """Return the address under which we serve a URL; other schemes stay as they are."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return url
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._root}/{parts.scheme}/{parts.netloc}{parts.path}{query}"

    def origin(self, path: str) -> str | None:
        """Return the URL that one of our paths stands for; None where it is none of ours."""
        root, _, rest = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(root.encode(), self._secret.encode()):
            return None
        if rest == "start":
            return self._begin
        scheme, _, place = rest.partition("/")
        return f"{scheme}://{place}" if scheme in {"http", "https"} else None

    def fetch(self, url: str, byte_range: str | None) -> Response:
        """Ask the origin."""
        headers = {"Range": byte_range} if byte_range else {}
        return self._session.get(url, headers=headers, stream=True, timeout=TIMEOUT)


class _Handler(BaseHTTPRequestHandler):
    relay: ClassVar[Loopback]

    def do_GET(self) -> None:
        url = self.relay.origin(self.path)
        if url is None:
            return self._say(404, {})
        try:
            with self.relay.fetch(url, self.headers.get("Range")) as answer:
                self._pass_on(answer)
        except RequestException:
            self._say(502, {})
        except (BrokenPipeError, ConnectionResetError):
            pass  # the program went away
        return None

    def _pass_on(self, answer: Response) -> None:
        if answer.ok and is_manifest(answer.headers.get("Content-Type", ""), answer.url):
            body = with_addresses(answer.content, answer.url, self.relay.local)
            self._say(200, {"Content-Type": "application/dash+xml"}, len(body))
            self.wfile.write(body)
            return
        passed = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        self._say(answer.status_code, passed, None)
        for chunk in answer.iter_content(CHUNK):
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
