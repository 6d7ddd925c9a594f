"""Writing HLS segments whole, and telling the sink where a new stretch of media begins.

Why not streamlink's own: it writes the new initialization section into the middle of the old
media, knows maps by their URI although byte ranges of one file are several, and forgets the
times of packed audio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from requests import Response
from streamlink.exceptions import StreamError
from streamlink.stream.hls.hls import (
    HLSStreamWriter,
    ID3v2HLSPackedAudio,
    get_packed_audio_timestamp,
)

from recorder.adapters.fetching.fetcher import SinkClosed
from recorder.adapters.media.section import Section

# Segments that wait in memory for the remuxer, beside those that are being fetched.
MOST_WAITING = 4
# Seconds by which the times of packed audio may differ from the sum of its durations.
LEAST_BREAK = 0.5


class SectionedWriter(HLSStreamWriter):
    """A writer of streams that have a `sink`, a `sink_closed`, `news` and a `ledger`."""

    stream: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, size=MOST_WAITING)
        self._asked_map: tuple[Any, ...] | None = None  # the one that was queued last
        self._map: tuple[Any, ...] | None = None  # the one that was written last
        self._writes_map = False
        self._segment: Any = None
        self._body = b""  # of it, as it was served
        self._breaks = False  # the segment that is written has another clock
        self._told_break: int | None = None  # the segment before which the sink heard of that
        self._audio_until: float | None = None

    def put(self, segment: Any) -> None:
        """Queue a segment, behind its initialization section where that is a new one."""
        if segment is None or self.closed:
            self.queue(None, None)
            return
        wanted = _identity(segment.map)
        if wanted is not None and wanted != self._asked_map:
            self._asked_map = wanted
            self._queue_fetch(self.fetch_map, segment, is_map=True)
        self._queue_fetch(self.fetch, segment, is_map=False)

    def _queue_fetch(
        self, fetch: Callable[[Any], Response | None], segment: Any, *, is_map: bool
    ) -> None:
        future: Future[Response | None] = self.executor.submit(fetch, segment)
        self.queue(segment, future, is_map)

    def fetch_map(self, segment: Any) -> Response | None:
        """Fetch an initialization section; None where it cannot be had."""
        part = segment.map.byterange
        if part is not None and part.offset is None:
            segment.map.byterange = part._replace(offset=0)  # RFC 8216, 4.3.2.5
        response: Response | None = super().fetch_map(segment)
        if response is None:
            self._asked_map = None  # the next segment asks for it again
        return response

    def write(self, segment: Any, result: Response, *data: Any) -> None:
        """Write a segment or an initialization section."""
        self._segment, self._writes_map = segment, bool(data and data[0])
        self._breaks = bool(segment.discontinuity) and segment.num != self._told_break
        if not self._writes_map and segment.map and _identity(segment.map) != self._map:
            # Without its head it is noise.
            self.stream.ledger.segment_failed(segment, None)
            return
        self._body = result.content
        super().write(segment, result, *data)

    def create_decryptor(self, key: Any, num: int) -> Any:
        """Return what decrypts a segment; without a key the segment is lost, not the stream."""
        try:
            return super().create_decryptor(key, num)
        except StreamError as error:
            raise ValueError(str(error)) from error

    def _write_plain(self, _: Any, response: Response) -> bool:
        self._write_content(response.content)  # in one piece: it is here already
        return True

    def _write_into_buffer(self, iterator: Any) -> None:
        self._write_content(b"".join(iterator))

    def _write_content(self, content: bytes) -> None:
        try:
            if self._writes_map:
                self._map = _identity(self._segment.map)
                self._tell(Section(content))
                return
            content = self._on_time(content)
            if self._breaks:
                self._tell(None)
            # At once: a file that begins with this track begins with a whole segment.
            self.stream.sink.write(content)
            # At once, too: what is in the recording must not be fetched again by anybody.
            body = self._body
            self.stream.ledger.kept(self._segment, len(body), hashlib.sha256(body).hexdigest())
        except SinkClosed:
            self.stream.sink_closed = True
            self.stream.news.set()

    def _tell(self, section: Section | None) -> None:
        self.stream.sink.begin_section(section, is_break=self._breaks)
        if self._breaks:
            self._breaks, self._told_break = False, self._segment.num

    def _on_time(self, content: bytes) -> bytes:
        """Return packed audio without its tags, having told its time where that is news."""
        if not content.startswith(b"ID3"):
            return content
        tags, rest = ID3v2HLSPackedAudio.parse_tags(iter([content]))
        content = b"".join(rest)
        begins_at = get_packed_audio_timestamp(tags)
        if begins_at is None:
            return content
        until = self._audio_until
        if until is None or self._breaks or abs(begins_at - until) > LEAST_BREAK:
            self._tell(Section(begins_at=begins_at))
            until = begins_at
        self._audio_until = max(until, begins_at) + self._segment.duration
        return content


def _identity(initial: Any) -> tuple[Any, ...] | None:
    if initial is None:
        return None
    key = initial.key
    return initial.uri, initial.byterange, None if key is None else (key.uri, key.iv)


def with_offsets(segments: list[Any]) -> None:
    """Tell each byte range where it begins: RFC 8216, 4.3.2.2, behind the one before."""
    uri, end = None, 0
    for segment in segments:
        part = segment.byterange
        if part is None:
            uri = None
            continue
        if part.offset is None and segment.uri == uri:
            part = segment.byterange = part._replace(offset=end)
        uri, end = segment.uri, (part.offset or 0) + part.range
