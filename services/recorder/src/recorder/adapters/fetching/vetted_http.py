"""HTTP that connects to vetted addresses only: of the URL, of redirects, of every segment.

The address that was judged is the one that is connected to, so a name that resolves to
something else a moment later gains nothing. How long an answer may take to begin is bounded
here too; how long and large its body may be says whoever reads it.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from chronicle_sources import SourceError, guard
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from recorder.adapters.fetching.access import Access

MOST_REDIRECTS = 10  # sites take two or three; browsers give up after twenty
# Seconds from the request to the end of the answer's headers. The library's own limit is one
# between two bytes, which a drip (or an endless row of "100 Continue") never reaches. Sizes
# need none of ours: http.client takes 100 headers of 64 KiB each, and fails beyond that.
HEADERS_WITHIN = 30.0

# Returns the addresses of a host and port that may be connected to; raises `SourceError`.
Vet = Callable[[str, int], Sequence[str]]


def protect(session: Session, access: Access) -> None:
    """Restrict a session to http and https, to public addresses, and to what we tell it."""
    session.trust_env = False  # no proxies, no .netrc
    session.max_redirects = MOST_REDIRECTS
    session.headers.update(access.headers)
    # Its own jar would forget which cookies are for one host alone.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    vet = functools.partial(guard.resolve_host, allow_private=access.allow_private)
    connect_by(session, vet, access)


def connect_by(session: Session, vet: Vet, access: Access | None = None) -> None:
    """Let a session connect to what `vet` returns, over http and https and nothing else."""
    access = access or Access(allow_private=False)
    # streamlink reads file:// where a playlist says so; nothing of this machine is recorded.
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.adapters[scheme] = VettedAdapter(vet, access)


class VettedAdapter(HTTPAdapter):
    """Opens connections of the classes below; sends to each host what is meant for it."""

    def __init__(self, vet: Vet, access: Access) -> None:
        self._access = access
        # urllib3's pools take a class of connections, not what it should know.
        known = {"vet": staticmethod(vet)}
        plain = type("_VettedConnection", (_Vetting, HTTPConnection), known)
        secure = type("_SecureVettedConnection", (_Vetting, HTTPSConnection), known)
        self._pools = {
            "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request, each one of a chain of redirects too."""
        equipped = self._access.equip(request)
        response = super().send(equipped, *args, **kwargs)
        self._access.heed(equipped, response)
        response.request = request
        return response

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, with our connections in them."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class _Vetting(HTTPConnection):
    vet: Vet

    def _new_conn(self) -> socket.socket:
        try:
            addresses = self.vet(self.host, self.port)
        except SourceError as error:
            raise NewConnectionError(self, error.detail) from error
        name, failure = self._dns_host, HTTPError(f"The host {self.host} has no address.")
        try:
            for address in addresses:
                # urllib3 looks this up; an address is its own result. TLS checks the name.
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error  # the next one may do: of IPv6 and IPv4 often only one does
        finally:
            self._dns_host = name
        raise failure

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        limit = threading.Timer(HEADERS_WITHIN, self._hang_up)
        limit.daemon = True
        limit.start()
        try:
            return super().getresponse()
        finally:
            limit.cancel()

    def _hang_up(self) -> None:
        # Not close(): only this wakes the thread that reads.
        with contextlib.suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
