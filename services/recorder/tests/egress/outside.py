"""The open internet, as far as it fits on this machine: names, and a server that is public."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from collections.abc import Callable
from socket import getaddrinfo  # the real one, whatever is put in its place later
from typing import Any

from chronicle_sources import SourceError, guard

PUBLIC = "127.0.0.2"
Page = bytes | Callable[[http.server.BaseHTTPRequestHandler], None]


class Names:
    """A name service and a judge that takes one loopback address for a public one.

    `rebind.test` is public at the first question and private from the second on.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._asked: list[str] = []

    def lookup(self, host: str, port: Any, *args: Any, **options: Any) -> list[tuple[Any, ...]]:
        """Answer as `socket.getaddrinfo` does."""
        self._asked.append(host)
        known = {
            "outside.test": [PUBLIC],
            "private.test": ["127.0.0.1"],
            "both.test": [PUBLIC, "127.0.0.1"],
            "rebind.test": [PUBLIC if self._asked.count(host) == 1 else "127.0.0.1"],
        }
        if host not in known:
            return list(getaddrinfo(host, port, *args, **options))
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in known[host]]

    def judge(self, address: str) -> bool:
        return address == PUBLIC or guard.is_public(address)

    def vet(self, host: str, port: int) -> list[str]:
        """The real guard, over these names."""
        look = functools.partial(guard.resolve_host, lookup=self.lookup, judge=self.judge)
        try:
            return look(host, port, allow_private=False)
        except SourceError:
            self.refused.append(host)
            raise


class Outside:
    """A public server; `pages` are bodies, or functions that answer a request."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append(path)
                page = outer.pages.get(path)
                if page is None:
                    self.send_error(404)
                elif isinstance(page, bytes):
                    answer(self, page)
                else:
                    page(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((PUBLIC, 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def url(self, path: str) -> str:
        return f"http://outside.test:{self.port}{path}?token=geheim"

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        """Let a path lead to a target; return the path's URL."""
        self.pages[path] = functools.partial(answer, status=status, Location=target)
        return self.url(path)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(
    request: http.server.BaseHTTPRequestHandler,
    body: bytes = b"",
    *,
    status: int = 200,
    **headers: str,
) -> None:
    """Answer a request with a body."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
