"""A small threaded HTTP server over one flat folder of stream files."""

from __future__ import annotations

import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".html": "text/html; charset=utf-8",
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class FolderServer:
    """Serves the stream files that lie directly in `folder`, and nothing else, on 127.0.0.1.

    Names are checked against a pattern without slashes, so no request leaves the folder, and
    only the types of `TYPES` are served: no listing, no logs. `port=0` takes a free one.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _handler(folder))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    @property
    def url(self) -> str:
        """The address of the folder, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving; safe to call twice, and without a start."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: viewers go away in the middle of an answer, that is how they are."""


def _handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            name = self.path.partition("?")[0].removeprefix("/")
            path = folder / name
            kind = TYPES.get(path.suffix)
            if kind is None or NAME.fullmatch(name) is None:
                return self._refuse()
            try:
                content = path.read_bytes()
            except OSError:
                return self._refuse()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if path.suffix == ".m3u8":
                self.send_header("Cache-Control", "no-cache")
            self.end_headers()
            if body:
                self.wfile.write(content)
            return None

        def _refuse(self) -> None:
            self.send_response(HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: a line for each segment helps nobody."""

    return Handler
