"""HTTP as fetchers need it: asking for something, with answers that begin and end in time.

Libraries for HTTP wait as long as a byte comes now and then, and read until the memory is full.
Here all is bounded: how long an answer may take to begin, how many redirects lead to it, how
large its body may be and how long that may take. Hosts get the headers and cookies that are
meant for them, at each step of a row of redirects. What a recording takes of a processor is
mostly this: so it is `http.client` with little around it.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPResponse
from types import MappingProxyType
from urllib.parse import unquote, urljoin

from chronicle_sources import SourceError, guard
from urllib3 import HTTPResponse as UnpackingResponse
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.connections import Connections, Place, hang_up
from recorder.adapters.fetching.deadlines import DEADLINES

MOST_REDIRECTS = 10  # sites take two or three; browsers give up after twenty
# Seconds from the request to the end of the answer's headers: a drip (or an endless row of "100
# Continue") never reaches a limit between two bytes. Sizes need none of ours: http.client takes
# 100 headers of 64 KiB each, and fails beyond that.
HEADERS_WITHIN = 30.0
TIMEOUT = 10.0  # seconds to connect to an address, and between two bytes

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_NONE: Mapping[str, str] = MappingProxyType({})
_ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "User-Agent": "Mozilla/5.0 (compatible; Chronicle)",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
    }
)


class HttpTrouble(Exception):
    """There is no answer that could be used; `status` is of the one that there was."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What came of a request; `url` is where it came from in the end."""

    url: str
    status: int
    headers: Message
    content: bytes


class HttpClient:
    """For the requests of one stream; threads may share it. All of it raises `HttpTrouble`.

    `headers` go with each request, where the stream itself does not say otherwise.
    """

    def __init__(self, access: Access, headers: Mapping[str, str] = _NONE) -> None:
        vet = functools.partial(guard.resolve_host, allow_private=access.allow_private)
        self.connections = Connections(vet)
        self._access = access
        self._headers = _merged(_ALWAYS, headers, access.headers)

    def get(
        self,
        url: str,
        *,
        most: int,
        within: float,
        headers: Mapping[str, str] = _NONE,
        timeout: float = TIMEOUT,
    ) -> Answer:
        """Return an answer of whatever status; its body may have `most` bytes, in `within` s."""
        with self.open(url, headers=headers, timeout=timeout) as opened:
            body = opened.body(most, within)
            return Answer(opened.url, opened.status, opened.headers, body)

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = _NONE,
        timeout: float = TIMEOUT,
    ) -> OpenAnswer:
        """Return an answer whose body is still to be read; to be closed by a `with` block."""
        for _ in range(MOST_REDIRECTS + 1):
            opened = self._ask(method, url, headers, timeout)
            target = opened.leads_to
            if target is None:
                return opened
            with opened, contextlib.suppress(HttpTrouble):
                opened.body(_CHUNK, timeout)  # so that its connection can be used again
            url = target
        raise HttpTrouble(f"there are more than {MOST_REDIRECTS} redirects")

    def _ask(self, method: str, url: str, headers: Mapping[str, str], timeout: float) -> OpenAnswer:
        place, target, allowed = _parsed(url)
        own = self._access.headers_for(url)
        sent = {**self._headers, **_merged(allowed, headers, own)}
        request = _Request(method, url, target, place, sent)
        with _as_trouble():
            kept = self.connections.kept(place, timeout)
            if kept is not None:
                # It may have been closed in the very moment in which it is used again.
                with contextlib.suppress(ConnectionError):
                    return self._exchange(kept, request)
            return self._exchange(self.connections.new(place, timeout), request)

    def _exchange(self, connection: HTTPConnection, request: _Request) -> OpenAnswer:
        try:
            connection.request(request.method, request.target, headers=request.headers)
            connected = connection.sock
            with _limited(connected, HEADERS_WITHIN, "begins only after"):
                response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        self._access.heed(request.url, response)
        return OpenAnswer(request, response, _Line(connection, connected, self.connections))


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    target: str  # what stands in the request
    place: Place
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Line:
    """A connection with an answer on it, and where it belongs when that is read."""

    connection: HTTPConnection
    connected: socket.socket  # its socket, which it forgets where the answer is its last
    home: Connections

    def close(self, place: Place, response: HTTPResponse) -> None:
        if response.isclosed() and self.connection.sock is not None:
            self.home.give_back(place, self.connection)
        else:
            response.close()
            self.connection.close()


class OpenAnswer:
    """An answer whose body comes."""

    def __init__(self, request: _Request, response: HTTPResponse, line: _Line) -> None:
        self.url = request.url
        self.status = response.status
        self.headers: Message = response.msg
        self._place = request.place
        self._response = response
        self._line = line

    @property
    def leads_to(self) -> str | None:
        """Where a redirect leads; None for any other answer."""
        said: str | None = self.headers["Location"]
        if not said or self.status not in _REDIRECTS:
            return None
        # Headers are read as Latin-1; who writes a path as it is writes UTF-8.
        return urljoin(self.url, said.encode("latin-1", "ignore").decode("utf-8", "replace"))

    def check(self) -> None:
        """Raise `HttpTrouble` for a status of failure."""
        check(self.status, self._response.reason)

    def read(self) -> bytes:
        """Return what has come by now, waiting for at least a byte; nothing at the end."""
        with _as_trouble():
            return self._response.read1(_CHUNK)

    def body(self, most: int, within: float) -> bytes:
        """Return all of it, unpacked."""
        with _as_trouble(), _limited(self._line.connected, within, "takes more than"):
            length = self._response.length
            if length is None or "Content-Encoding" in self.headers:
                return self._counted(most)
            if length > most:
                raise _too_large(most)
            return self._response.read()

    def close(self) -> None:
        """Keep the connection for others if the body was read to its end, or hang up."""
        self._line.close(self._place, self._response)

    def __enter__(self) -> OpenAnswer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _counted(self, most: int) -> bytes:
        """Unpack step by step, so that a bomb meets the same limit."""
        packed = UnpackingResponse(
            self._response,
            headers=dict(self.headers.items()),
            preload_content=False,
            original_response=self._response,
        )
        body = bytearray()
        while chunk := packed.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > most:
                raise _too_large(most)
        return bytes(body)


def check(status: int, reason: str = "") -> None:
    """Raise `HttpTrouble` for a status of failure."""
    if status >= 400:
        raise HttpTrouble(f"the server answers with status {status} {reason}".rstrip(), status)


def _merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as one, whatever case their names are in; what comes later holds."""
    return {name.title(): value for one in headers for name, value in one.items()}


def _parsed(url: str) -> tuple[Place, str, dict[str, str]]:
    """Return where to connect to, what to ask for there, and a header of who is asking."""
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise HttpTrouble("this is no URL") from error
    if parts.scheme not in _PORTS or not parts.host:
        # A playlist may name any file of this machine; nothing of it is recorded.
        raise HttpTrouble(f"only http and https are fetched, not {parts.scheme or 'a path'}")
    allowed = {}
    if parts.auth:
        said = b64encode(unquote(parts.auth).encode()).decode()
        allowed["Authorization"] = f"Basic {said}"
    port = parts.port or _PORTS[parts.scheme]
    return Place(parts.scheme, parts.host.strip("[]"), port), parts.request_uri, allowed


@contextmanager
def _limited(connected: socket.socket, seconds: float, what: str) -> Iterator[None]:
    """Hang up if the `with` block takes longer, and say that it did."""
    deadline = time.monotonic() + seconds
    try:
        with DEADLINES.within(seconds, functools.partial(hang_up, connected)):
            yield
    finally:
        # What was hung up on may look whole, where nothing said how long it is.
        if time.monotonic() >= deadline:
            raise HttpTrouble(f"the answer {what} {seconds:.3g} s")


@contextmanager
def _as_trouble() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        raise HttpTrouble(error.detail) from error
    except (OSError, HTTPException, HTTPError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise HttpTrouble(said) from error


def _too_large(most: int) -> HttpTrouble:
    return HttpTrouble(f"the answer has more than {most} bytes")
