"""The feed: what fetchers give goes to a remuxer, and to the next one when that dies.

A remuxer begins with the first bytes, because they tell its container; with several tracks it
begins when each has some. A new file is begun when a remuxer died, or when a new connection
sends headers of its own that cannot follow on what came before.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

import structlog
from chronicle_contracts.recorder import MediaInfo

from recorder.adapters.container import CONCATENABLE, container, is_page
from recorder.adapters.fetching import SinkClosed
from recorder.adapters.remuxer import Remuxer

log = structlog.get_logger(__name__)

MOST_USELESS = 3  # remuxers in a row that died without a second of media
LONGEST_HEAD = 16 * 1024 * 1024  # bytes of one track that wait for the other


class Feed:
    """The tracks of one source into files, one after the other, each by its own remuxer."""

    def __init__(self, tracks: int, begin: Callable[[Sequence[str | None]], Remuxer]) -> None:
        self._begin = begin
        self._lock = threading.RLock()
        self._heads = [bytearray() for _ in range(tracks)]
        self._open_tracks = set(range(tracks))
        self._formats: list[str | None] | None = None
        self._current: Remuxer | None = None
        self._closed = False
        self._useless = 0
        self._files = 0
        self._media: MediaInfo | None = None
        self._seconds = 0.0  # of the files before the current one
        self._bytes = 0
        self.unusable: str | None = None

    # What is there

    @property
    def media_seconds(self) -> float:
        """Seconds of media in all files of this feed."""
        current = self._current
        return self._seconds + (current.media_seconds if current else 0.0)

    @property
    def bytes_written(self) -> int:
        """Bytes in all files of this feed."""
        current = self._current
        return self._bytes + (current.bytes_written if current else 0)

    @property
    def media(self) -> MediaInfo | None:
        """What the media is made of, as of the first file."""
        current = self._current
        return self._media or (current.media if current else None)

    @property
    def files(self) -> int:
        """Files begun so far."""
        return self._files

    # What comes in, from one thread per track

    def write(self, track: int, data: bytes) -> None:
        """Pass media on; raises `SinkClosed` when nobody takes it any more."""
        if not data:
            return
        with self._lock:
            self._check()
            remuxer = self._current or self._next(track, data)
            if remuxer is None:
                return  # kept as head
            data = self._with_head(track, data)
        try:
            # Outside the lock: this waits for ffmpeg, which may be waiting for the other track.
            remuxer.write(track, data)
        except BrokenPipeError:
            self._retire(remuxer)
            self.write(track, data)

    def begin_anew(self) -> None:
        """A new connection begins."""
        with self._lock:
            self._open_tracks = set(range(len(self._heads)))
            known = set(self._formats or ())
            if self._current is not None and not known <= CONCATENABLE:
                self._retire(self._current)
                self._formats = None

    def finish(self, track: int) -> None:
        """A track is whole; with the last one the file is final when this returns."""
        with self._lock:
            self._open_tracks.discard(track)
            current = self._current
            head = self._with_head(track, b"") if current is not None else b""
        if current is not None:
            self._give_last(current, track, head)
            if not self._open_tracks:
                self._retire(current)

    def close(self) -> None:
        """Take nothing more; the file is final when this returns."""
        self._closed = True
        with self._lock:
            if self._current is not None:
                self._retire(self._current)

    # Files

    def _check(self) -> None:
        if self._closed or self.unusable is not None:
            raise SinkClosed

    def _next(self, track: int, data: bytes) -> Remuxer | None:
        """Begin a file; None as long as another track has not said what it is."""
        if self._formats is not None:
            return self._open()
        if is_page(data):
            self.unusable = "The source sends a web page in place of media."
            raise SinkClosed
        head = self._heads[track]
        if not all(one or number == track for number, one in enumerate(self._heads)):
            head += data
            if len(head) > LONGEST_HEAD:
                self.unusable = "Of sound and picture only one comes."
            return None
        firsts = [bytes(one[:16]) for one in self._heads]
        firsts[track] = firsts[track] or data[:16]
        self._formats = [container(first) for first in firsts]
        return self._open()

    def _open(self) -> Remuxer:
        assert self._formats is not None
        remuxer = self._current = self._begin(self._formats)
        self._files += 1
        log.info("file_begun", file=remuxer.path.name, formats=self._formats)
        for track in set(range(len(self._heads))) - self._open_tracks:
            head = self._with_head(track, b"")
            threading.Thread(
                target=self._give_last, args=(remuxer, track, head), daemon=True
            ).start()
        return remuxer

    def _with_head(self, track: int, data: bytes) -> bytes:
        """Return what waited of a track, then the data; nothing waits after that."""
        head, self._heads[track] = self._heads[track], bytearray()
        return bytes(head) + data if head else data

    @staticmethod
    def _give_last(remuxer: Remuxer, track: int, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            remuxer.write(track, data)
        remuxer.end(track)

    def _retire(self, remuxer: Remuxer) -> None:
        """Close a remuxer and add up what it wrote; the next bytes begin a new file."""
        with self._lock:
            if self._current is not remuxer:
                return
            remuxer.close()
            # Whoever looks at the sums meanwhile sees too little, never too much.
            self._current = None
            self._media = self._media or remuxer.media
            self._seconds += remuxer.media_seconds
            self._bytes += remuxer.bytes_written
            self._useless = 0 if remuxer.media_seconds > 0 else self._useless + 1
            if self._useless >= MOST_USELESS:
                said = remuxer.complaint
                self.unusable = f"The media that the source sends cannot be recorded: {said}"
