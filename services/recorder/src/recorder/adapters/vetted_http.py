"""HTTP that connects to vetted addresses only: of the URL, of redirects, of every segment.

The address that was judged is the one that is connected to, so a name that resolves to
something else a moment later gains nothing.
"""

from __future__ import annotations

import socket
from typing import Any

from chronicle_sources import SourceError, guard
from requests import Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError


def protect(session: Session, *, headers: dict[str, str], allow_private: bool) -> None:
    """Restrict a session to http and https, to public addresses, and to what we tell it."""
    session.trust_env = False  # no proxies, no .netrc
    session.headers.update(headers)
    # streamlink reads file:// where a playlist says so; nothing of this machine is recorded.
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.adapters[scheme] = HTTPAdapter() if allow_private else VettedAdapter()


class VettedAdapter(HTTPAdapter):
    """Opens connections of the classes below."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, with our connections in them."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Vetting(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = guard.resolve_host(self.host, self.port, allow_private=False)
        except SourceError as error:
            raise NewConnectionError(self, error.detail) from error
        try:
            # urllib3 looks this up; an address is its own result. TLS goes on to check the name.
            self._dns_host = addresses[0]
            return super()._new_conn()
        finally:
            self._dns_host = name


class _SecureVetting(_Vetting, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Vetting


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureVetting
