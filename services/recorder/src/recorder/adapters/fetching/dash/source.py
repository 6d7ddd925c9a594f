"""A DASH manifest that is read again and again, for all tracks of a stream at once."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime

import structlog
from chronicle_sources.errors import without_secrets

from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.dash import manifest as dash_manifest
from recorder.adapters.fetching.dash.manifest import UnreadableManifest
from recorder.adapters.fetching.dash.model import Presentation
from recorder.adapters.fetching.http_client import (
    TIMEOUT,
    Answer,
    HttpClient,
    HttpTrouble,
    OpenAnswer,
    check,
)
from recorder.adapters.fetching.reloads import Reloads

log = structlog.get_logger(__name__)

MOST_OF_MANIFEST = 8 * 1024 * 1024  # bytes; a day of segments, each with a line of its own
MANIFEST_WITHIN = 20.0  # seconds
MOST_OF_TIME = 1024  # bytes of an answer that tells the time
SOONEST, LATEST = 0.5, 15.0  # seconds between two looks
WITHOUT_WORD = 5.0  # seconds, where a live manifest does not say how often it changes
LEAST_SKEW = 3.0  # seconds by which a server's clock differs before it is believed

_TIME = "urn:mpeg:dash:utc:"


class DashSource:
    """Reads the manifest at `url` in a thread of its own, from `begin` to the last `leave`."""

    def __init__(self, url: str, access: Access) -> None:
        self.http = HttpClient(access)
        self.reloads = Reloads("manifest")
        self.presentation: Presentation | None = None
        self.starts_at = 0.0  # Unix time; of a film that never was live 0
        self.looks = 0  # how often the manifest was read
        self._url = url
        self._skew = 0.0
        self._is_timed = False
        self._users = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._edge: float | None = None

    def begin(self) -> None:
        """A track is fetched from now on."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                threading.Thread(target=self._read_on, name="dash-manifest", daemon=True).start()

    def leave(self) -> None:
        """A track is fetched no more."""
        with self._lock:
            self._users -= 1
        self._wake.set()

    def hurry(self) -> None:
        """Read it again soon: what it says does not hold."""
        self._wake.set()

    def now(self) -> float:
        """Return the time by the source's clock."""
        return time.time() + self._skew

    def offers(self, moment: float) -> bool:
        """Return whether what begins at a moment (Unix time) may be there, by the manifest."""
        shown = self.presentation
        if shown is None or not shown.periods:
            return True
        if shown.is_live:
            return shown.window is None or moment >= self.now() - shown.window
        ends = shown.periods[-1].ends
        return ends is None or moment < self.starts_at + ends

    def begin_at(self, edge: float) -> float:
        """Return where all tracks begin: the place that the first of them asked for."""
        with self._lock:
            self._edge = edge if self._edge is None else self._edge
            return self._edge

    def _read_on(self) -> None:
        while self._users > 0 and self.reloads.refusal is None:
            began = time.monotonic()
            self._read()
            shown = self.presentation
            if shown is not None and not shown.is_live and self.reloads.failing_for == 0:
                return  # it changes no more
            self._wake.wait(max(0.0, self._pause(shown) - (time.monotonic() - began)))
            self._wake.clear()
            # Whoever is in a hurry is not alone.
            time.sleep(SOONEST if time.monotonic() - began < SOONEST else 0)

    def _pause(self, shown: Presentation | None) -> float:
        if shown is None or self.reloads.failing_for > 0:
            return 1.0
        every = shown.update_every
        return min(LATEST, max(SOONEST, WITHOUT_WORD if every is None else every))

    def _read(self) -> None:
        status: int | None = None
        try:
            answer = self.http.get(self._url, most=MOST_OF_MANIFEST, within=MANIFEST_WITHIN)
            status = answer.status
            check(status)
            shown = dash_manifest.read(answer.content, answer.url)
        except (HttpTrouble, UnreadableManifest) as error:
            log.info("manifest_failed", status=status, error=without_secrets(str(error)))
            self.reloads.failed(status, str(error))
            return
        self._set_clock(shown, answer)
        # A manifest that has become a film keeps its place in time.
        self.starts_at = self.starts_at if shown.starts_at is None else shown.starts_at
        self._url = shown.location or self._url
        self.presentation, self.looks = shown, self.looks + 1
        self.reloads.worked()

    def _set_clock(self, shown: Presentation, answer: Answer) -> None:
        if self._is_timed or not shown.is_live:
            return
        told = self._told_time(shown) or _date(answer)
        self._is_timed = True
        if told is not None and abs(told - time.time()) > LEAST_SKEW:
            self._skew = told - time.time()
            log.info("clock_set_by_source", skew=round(self._skew, 1))

    def _told_time(self, shown: Presentation) -> float | None:
        for scheme, value in shown.timings:
            way = scheme.removeprefix(_TIME).partition(":")[0]
            try:
                if way == "direct":
                    return dash_manifest.moment(value)
                if way in {"http-xsdate", "http-iso"}:
                    told = self.http.get(value, most=MOST_OF_TIME, within=TIMEOUT)
                    return dash_manifest.moment(told.content.decode())
                if way == "http-head":
                    with self.http.open(value, method="HEAD") as answer:
                        return _date(answer)
            except (HttpTrouble, ValueError):
                continue
        return None


def _date(answer: Answer | OpenAnswer) -> float | None:
    """Return when an answer was made, by its server's clock; RFC 9110 and 9111."""
    try:
        age = int(answer.headers.get("Age", "0"))
        return parsedate_to_datetime(answer.headers["Date"]).timestamp() + age
    except (KeyError, ValueError, OverflowError):
        return None
