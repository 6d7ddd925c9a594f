"""Live HLS: streamlink's worker and writer as a library, with failures judged by us.

Why not ffmpeg or yt-dlp: one failed reload of the playlist ends them as if all were well.
What is overridden, and why:

- the worker sees a source that counts its segments anew, and goes on with it;
- the writer hands segments straight to the sink, so that it is known which ones were kept;
- failed segments are retried between looks at `closed`, so that stopping takes no time.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from requests import Response
from streamlink.exceptions import StreamError
from streamlink.session import http_useragents
from streamlink.session.session import Streamlink
from streamlink.stream.hls.hls import HLSStream, HLSStreamReader, HLSStreamWorker

from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.fetcher import Fetcher, Sink
from recorder.adapters.fetching.hls.ledger import SegmentLedger
from recorder.adapters.fetching.hls.playlist import BoundedParser
from recorder.adapters.fetching.hls.programme import date_ranges, with_dates
from recorder.adapters.fetching.hls.sections import SectionedWriter, with_offsets
from recorder.adapters.fetching.hls.streamlink_http import StreamlinkHttp
from recorder.adapters.fetching.http_client import HttpClient
from recorder.adapters.fetching.position import Position, Positions
from recorder.adapters.fetching.reloads import REFUSALS
from recorder.domain.hindrance import Hindrance
from recorder.domain.segment import DateRange, Segment
from recorder.ports import FetchEnd, Ledger

# More attempts on a segment that is gone for good would hold up everything behind it.
SEGMENT_ATTEMPTS = 4
SEGMENT_PATIENCE = 35.0  # seconds for all of them; or four times the segment's length
MOST_OF_SEGMENT = 64 * 1024 * 1024  # bytes: ten seconds of 50 Mbit/s
LOOK_EVERY = 5.0  # seconds; what ends a fetch is told at once

OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "stream-segment-attempts": SEGMENT_ATTEMPTS,
        "stream-segment-threads": 3,
        "stream-segment-timeout": 8.0,
        # More of them would only add a back-off between our own reloads.
        "hls-playlist-reload-attempts": 1,
        "stream-segmented-queue-deadline": 0,
    }
)

# Its messages hold whole URLs; what matters of them is in our own log, without secrets.
logging.getLogger("streamlink").setLevel(logging.CRITICAL)


class HlsFetcher(Fetcher):
    """One media playlist; `track` tells sound and picture apart where they come apart."""

    def __init__(
        self,
        url: str,
        sink: Sink,
        *,
        access: Access,
        ledger: Ledger,
        positions: Positions,
        track: int,
        refused_before: set[str],
        since: float | None,
        is_rest: bool = False,
    ) -> None:
        super().__init__(sink, f"hls-{track}")

        def keep(position: Position, segment: Segment) -> None:
            ledger.keep(replace(segment, track=track))
            positions.move(track, position)

        self._ledger = SegmentLedger(
            begin_after=positions.of(track),
            since=since,
            is_rest=is_rest,
            refused_before=refused_before,
            lose=self.lose,
            keep=keep,
        )
        self.http = HttpClient(access, {"User-Agent": http_useragents.DEFAULT})
        # Pictures and sound that come apart tell the same of their programme.
        tell = ledger.tell if track == 0 else _ignore
        self._stream = _Stream(StreamlinkHttp(self.http), url, self._ledger, sink, tell)

    @property
    def patience(self) -> float:
        """Two segments and a bit: media comes a whole segment at a time."""
        return 2 * self._ledger.target_duration + 1

    @property
    def continues(self) -> bool:
        """Whether it began right after the segment that was kept last."""
        return self._ledger.continues

    @property
    def is_numbered(self) -> bool:
        """Always."""
        return True

    @property
    def is_behind(self) -> bool:
        """Whether segments are still to be fetched."""
        return self._ledger.is_behind

    @property
    def hindrance(self) -> Hindrance | None:
        """What is the matter with the playlist."""
        return self._ledger.hindrance

    def _fetch(self) -> FetchEnd:
        reader = _Reader(self._stream)
        reader.open()
        try:
            while not self._stop.is_set():
                self._stream.news.wait(LOOK_EVERY)
                self._stream.news.clear()
                if self._stream.sink_closed:
                    return FetchEnd("broken", "The recorder takes no more media.")
                if refusal := self._ledger.refusal or self._ledger.reloads.refusal:
                    return FetchEnd("refused", refusal)
                if self._ledger.reloads.is_given_up:
                    return FetchEnd("broken", self._ledger.reloads.trouble)
                if self._stream.is_over:
                    return self._natural_end(reader)
            return FetchEnd("broken", "It was stopped.")
        finally:
            _let_go(reader)

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        self._stream.news.set()
        super().close()

    def _natural_end(self, reader: HLSStreamReader) -> FetchEnd:
        last = reader.worker.playlist_end
        if last is not None and reader.worker.sequence > last:
            return FetchEnd("ended", "The source marked the end of the stream.")
        return FetchEnd("broken", self._ledger.reloads.trouble or "The stream broke off.")


def _ignore(_: DateRange) -> None: ...


def _let_go(reader: _Reader) -> None:
    """Stop streamlink's threads without waiting for the requests that they are in."""
    reader.worker.close()
    writer = reader.writer
    # Its own close() would wait for every request in flight.
    writer.closed = True
    writer._wait.set()
    writer.wake()
    writer.executor.shutdown(wait=False, cancel_futures=True)
    reader.buffer.close()  # type: ignore[no-untyped-call]
    for thread in (reader.worker, writer):
        thread.join(2)


class _Worker(HLSStreamWorker):
    stream: _Stream

    def reload(self) -> None:
        ledger = self.stream.ledger
        try:
            super().reload()  # type: ignore[no-untyped-call]
        except StreamError as error:
            ledger.reloads.failed(_status(error), str(error))
            self.stream.news.set()
            raise
        ledger.target_duration = self.playlist_targetduration

    def process_segments(self, playlist: Any) -> None:
        ledger, segments = self.stream.ledger, playlist.segments
        with_offsets(segments)
        with_dates(segments)
        for told in date_ranges(playlist):
            self.stream.tell(told)
        is_first = self.sequence < 0
        if not is_first and ledger.is_reset(segments, self.sequence):
            ledger.reset(segments)
            self.sequence = segments[0].num
            segments[0].discontinuity = True  # whether it says so or not
        if ledger.is_suspicious:
            self.playlist_segments = []  # none of them before the next reload has confirmed it
            return
        super().process_segments(playlist)
        if is_first:
            number = ledger.first_wanted(segments, has_ended=playlist.is_endlist)
            self.sequence = self.sequence if number is None else number
        ledger.list(segments)

    def check_sequence_gap(self, segment: Any) -> None:
        if (missing := segment.num - self.sequence) > 0:
            self.stream.ledger.skipped(missing, segment)


class _Writer(SectionedWriter):
    stream: _Stream

    def _queue_get(self) -> Any:
        return self._queue.get()  # not in steps: `wake` ends it

    def wake(self) -> None:
        """Let the thread see that this is closed."""
        with contextlib.suppress(queue.Full):  # then it does not wait
            self._queue.put_nowait(None)

    def close(self) -> None:
        self.wake()
        super().close()

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.stream.is_over = True
            self.stream.news.set()

    def fetch(self, segment: Any) -> Response | None:
        parameters = self.create_request_params(segment.num, segment, False)
        status: int | None = None
        patience = max(SEGMENT_PATIENCE, 4 * segment.duration)
        give_up_at = time.monotonic() + patience
        for attempt in range(SEGMENT_ATTEMPTS):
            if attempt:
                self.wait(0.3 * 2 ** (attempt - 1))
            if self.closed or self.stream.ledger.refusal is not None:
                return None
            # The half of it, so that what drips from one server is tried at another.
            within = min(patience / 2, give_up_at - time.monotonic())
            if within <= 0:
                break
            try:
                return self.stream.http.get(
                    segment.uri,
                    timeout=self.timeout,
                    most=MOST_OF_SEGMENT,
                    within=within,
                    **parameters,
                )
            except StreamError as error:
                status = _status(error)
                if status in REFUSALS:
                    break  # the same address will not do; a new one may
        if not self.closed:
            self.stream.ledger.segment_failed(segment, status)
            self.stream.news.set()
        return None

    def write(self, segment: Any, result: Response, *data: Any) -> None:
        # What comes behind a refused segment belongs after it: the next fetcher gets both.
        if self.stream.ledger.refusal is not None:
            return
        super().write(segment, result, *data)

    def _write_decrypt(self, segment: Any, response: Response, key: Any) -> bool:
        is_written: bool = super()._write_decrypt(segment, response, key)
        if not is_written and not self.closed:
            self.stream.ledger.segment_failed(segment, None)
        return is_written


class _Reader(HLSStreamReader):
    writer: _Writer
    __worker__ = _Worker
    __writer__ = _Writer


class _Stream(HLSStream):
    __parser__ = BoundedParser

    def __init__(
        self,
        http: StreamlinkHttp,
        url: str,
        ledger: SegmentLedger,
        sink: Sink,
        tell: Callable[[DateRange], None],
    ) -> None:
        session = Streamlink(options=OPTIONS, plugins_builtin=False)
        super().__init__(session, url)
        session.http = http  # type: ignore[assignment]  # has what is used of one
        self.http = http
        self._url = url
        self.tell = tell
        self.ledger = ledger
        self.sink = sink
        self.sink_closed = False
        self.is_over = False  # nothing more will be written
        self.news = threading.Event()  # there is something to look at

    @property
    def url(self) -> str:
        """The playlist's; streamlink's own would make a request of it to see."""
        return self._url


def _status(error: StreamError) -> int | None:
    """Return the HTTP status that led to an error; None where there was no answer."""
    return getattr(getattr(error, "err", None), "status", None)
