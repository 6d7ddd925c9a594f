"""Progressive HTTP: one endless (or whole) response, begun again when it breaks off.

The end of a response says little: a live server closes now and then. Only a length that was
announced and reached, or a file by its nature, is an end.
"""

from __future__ import annotations

import time

import structlog
from chronicle_sources.errors import without_secrets

from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.fetcher import Fetcher, Sink
from recorder.adapters.fetching.http_client import HttpClient, HttpTrouble, OpenAnswer
from recorder.adapters.fetching.icy import titles
from recorder.adapters.fetching.reloads import REFUSALS, kind_of
from recorder.adapters.media.container import container
from recorder.domain.hindrance import Hindrance
from recorder.ports import FetchEnd

log = structlog.get_logger(__name__)

FAILING_LIMIT = 30.0  # seconds of failing connections after which the site is asked anew
PAUSE = 1.0


class HttpFetcher(Fetcher):
    """`is_film` says that the source is whole, so that the end of a response is its end."""

    def __init__(
        self,
        url: str,
        sink: Sink,
        *,
        access: Access,
        is_film: bool,
    ) -> None:
        super().__init__(sink, "http")
        self._url = url
        self._is_film = is_film
        # A compressed stream could not be gone on with in its middle.
        self.http = HttpClient(access, {"Accept-Encoding": "identity"})
        self._received = 0
        self._length: int | None = None
        self._hindrance: Hindrance | None = None

    @property
    def hindrance(self) -> Hindrance | None:
        """Why there is no connection, or none that sends anything."""
        return self._hindrance

    def _fetch(self) -> FetchEnd:
        failing_since: float | None = None
        detail = ""
        while not self._stop.is_set():
            before = self._received
            try:
                end = self._response()
            except HttpTrouble as error:
                said = without_secrets(str(error)).rstrip(".")
                end, detail = None, f"The connection broke off: {said}."
                self._hindrance = Hindrance(kind_of(error.status), detail)
                log.info("connection_lost", detail=detail)
            if end is not None:
                return end
            if self._received > before:
                failing_since = None
            elif failing_since is None:
                failing_since = time.monotonic()
            elif time.monotonic() - failing_since > FAILING_LIMIT:
                return FetchEnd("broken", detail or "The server sends nothing.")
            self._stop.wait(PAUSE)
        return FetchEnd("broken", "It was stopped.")

    def _response(self) -> FetchEnd | None:
        """Read one response; return an end, or None to connect again."""
        resumes = self._length is not None and self._received > 0
        headers = {"Range": f"bytes={self._received}-"} if resumes else {}
        with self.http.open(self._url, headers=headers) as answer:
            if answer.status in REFUSALS:
                return FetchEnd("refused", f"The server refuses: status {answer.status}.")
            answer.check()
            if resumes and answer.status != 206:
                return FetchEnd("broken", "The server cannot go on where it broke off.")
            if not resumes:
                if self._received:
                    self._sink.begin_anew()
                self._received = 0
                self._length = _length(answer)
            return self._read(answer)

    def _read(self, answer: OpenAnswer) -> FetchEnd | None:
        between = titles(answer.headers.get("icy-metaint"))
        while chunk := answer.read():
            if self._stop.is_set():
                return FetchEnd("broken", "It was stopped.")
            if self._received == 0:
                self._is_film = self._is_film or container(chunk[:16]) == "mp4"
            self._sink.write(between.taken_out(chunk) if between else chunk)
            self._received += len(chunk)
            self._hindrance = None
        is_whole = self._length is not None and self._received >= self._length
        if is_whole or (self._is_film and self._length is None):
            return FetchEnd("ended", "The source was received to its end.")
        return None


def _length(answer: OpenAnswer) -> int | None:
    value = answer.headers.get("Content-Length", "")
    return int(value) if value.isdigit() else None
