"""Connections to vetted addresses only, kept for the next request to the same place.

The address that was judged is the one that is connected to, so a name that resolves to
something else a moment later gains nothing. No proxy of the environment is used.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPSConnection
from typing import NamedTuple

import certifi
from urllib3.util.wait import wait_for_read

MOST_KEPT = 6  # of all places: a stream's playlists and segments come from one or two

# Returns the addresses of a host and port that may be connected to; raises `SourceError`.
Vet = Callable[[str, int], Sequence[str]]


class Place(NamedTuple):
    """Where a connection leads; `scheme` is http or https."""

    scheme: str
    host: str
    port: int


class Connections:
    """What is taken from here is for one request at a time; several threads may take."""

    def __init__(self, vet: Vet) -> None:
        self.vet = vet
        self._kept: deque[tuple[Place, HTTPConnection]] = deque()
        self._lock = threading.Lock()

    def kept(self, place: Place, timeout: float) -> HTTPConnection | None:
        """Return one that was given back and still stands; `timeout` as for a new one."""
        while (kept := self._newest(place)) is not None:
            # Nothing was asked: what there is to read is its end.
            if kept.sock is not None and not wait_for_read(kept.sock, 0):
                kept.sock.settimeout(timeout)
                return kept
            kept.close()
        return None

    def new(self, place: Place, timeout: float) -> HTTPConnection:
        """Return one that is opened with the first request.

        `timeout`: seconds to connect to each address, and between two bytes after that.
        """
        kind = _Secure if place.scheme == "https" else _Plain
        return kind(place.host, place.port, self.vet, timeout)

    def give_back(self, place: Place, connection: HTTPConnection) -> None:
        """Keep one whose last answer was read to its end."""
        with self._lock:
            self._kept.append((place, connection))
            oldest = self._kept.popleft()[1] if len(self._kept) > MOST_KEPT else None
        if oldest is not None:
            oldest.close()

    def _newest(self, place: Place) -> HTTPConnection | None:
        with self._lock:
            # The one that its server has closed last, if at all.
            found = next((one for one in reversed(self._kept) if one[0] == place), None)
            if found is None:
                return None
            self._kept.remove(found)
            return found[1]


class _Plain(HTTPConnection):
    def __init__(self, host: str, port: int, vet: Vet, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._vet = vet

    def connect(self) -> None:
        self.sock = _connected(self._vet(self.host, self.port), self.port, self.timeout)


class _Secure(HTTPSConnection):
    def __init__(self, host: str, port: int, vet: Vet, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout, context=_context())
        self._vet = vet

    def connect(self) -> None:
        opened = _connected(self._vet(self.host, self.port), self.port, self.timeout)
        try:
            # By its name: that is what a certificate is for.
            self.sock = _context().wrap_socket(opened, server_hostname=self.host)
        except BaseException:
            opened.close()
            raise


def _connected(addresses: Sequence[str], port: int, timeout: float | None) -> socket.socket:
    """Connect to the first that answers: of IPv6 and IPv4 often only one does."""
    failure = OSError("the host has no address")
    for address in addresses:
        try:
            # This would look up a name; an address is its own result.
            opened = socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
    raise failure


@functools.cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def hang_up(connected: socket.socket) -> None:
    """End what another thread waits for on a socket; closing it would not wake that thread."""
    # Not an SSL socket's own, which takes its state away from the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
