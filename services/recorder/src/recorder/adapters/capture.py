"""A capture: fetchers, one for each track, into a feed, into files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chronicle_sources.plain_text import plain

from recorder.adapters.feeding.feed import Feed
from recorder.adapters.fetching.fetcher import LONGEST_DETAIL, Fetcher, Sink
from recorder.adapters.media.section import Section
from recorder.domain.gaps import Loss
from recorder.domain.stream import Stream
from recorder.ports import FetchEnd, Sighting

# Seconds. A playlist that claims longer segments than this must not be waited for in silence.
LONGEST_PATIENCE = 120.0

# Seconds before an address expires in which the site is asked for another.
RENEW_WITHIN = 60.0

# Makes the fetchers of a stream; `sink(track)` is where each puts its media.
MakeFetchers = Callable[[Stream, Callable[[int], Sink]], list[Fetcher]]


class Marking(Protocol):
    """Hears how far the files have come when media is written."""

    def begin(self, track: int, size: int, media_seconds: float) -> None:
        """Media is about to be written; by now there are so many bytes and seconds."""

    def give(self, track: int, file: str, seconds: float) -> None:
        """This file has taken it; before that it held so many seconds."""


@dataclass(frozen=True)
class TrackSink:
    """The end of a feed that one fetcher sees."""

    feed: Feed
    track: int
    marking: Marking
    size_before: int
    seconds_before: float

    def write(self, data: bytes) -> None:
        """Pass media on."""
        feed, track = self.feed, self.track
        self.marking.begin(
            track, self.size_before + feed.bytes_written, self.seconds_before + feed.media_seconds
        )
        before, seconds = feed.place
        feed.write(track, data)
        file = feed.place[0] or before
        self.marking.give(track, file, seconds if file == before else 0.0)

    def begin_section(self, section: Section | None, *, is_break: bool) -> None:
        """Another stretch of media begins."""
        self.feed.begin_section(self.track, section, is_break=is_break)

    def begin_anew(self) -> None:
        """A new connection begins."""
        self.feed.begin_anew()

    def finish(self) -> None:
        """The track is whole."""
        self.feed.finish(self.track)


class _Unmarked:
    def begin(self, track: int, size: int, media_seconds: float) -> None: ...

    def give(self, track: int, file: str, seconds: float) -> None: ...


class FetchedCapture:
    """Implements `ports.Capture`; a stream with another number of tracks begins a new feed."""

    def __init__(
        self,
        make_fetchers: MakeFetchers,
        make_feed: Callable[[int], Feed],
        marking: Marking | None = None,
        is_over: Callable[[], None] = lambda: None,
    ) -> None:
        self._marking = marking or _Unmarked()
        self._is_over = is_over
        self._make_fetchers = make_fetchers
        self._make_feed = make_feed
        self._stream: Stream | None = None
        self._feed: Feed | None = None
        self._fetchers: list[Fetcher] = []
        self._fetches = 0
        self._continues = False
        self._losses: tuple[Loss, ...] = ()
        self._tracks = 0
        self._renew_at: float | None = None
        self._seconds = 0.0  # of the feeds before the current one
        self._bytes = 0
        self._files = 0

    def fetch(self, stream: Stream) -> None:
        """Stop the fetchers that are there and start those of the stream."""
        self._stop_fetchers()
        tracks = 2 if stream.audio_url is not None else 1
        if self._feed is None or tracks != self._tracks:
            self._close_feed()
            self._feed, self._tracks = self._make_feed(tracks), tracks
        else:
            self._feed.begin_anew()
        feed = self._feed
        self._renew_at = _renew_at(stream, self._stream)
        self._stream = stream
        self._fetches += 1
        size, seconds = self._bytes, self._seconds

        def sink(track: int) -> TrackSink:
            return TrackSink(feed, track, self._marking, size, seconds)

        self._fetchers = self._make_fetchers(stream, sink)
        for fetcher in self._fetchers:
            fetcher.start(self._is_over)

    def look(self) -> Sighting:
        """Return what is there."""
        for fetcher in self._fetchers:
            self._losses += fetcher.take_losses()
            # Of the first fetch: it decides whether there is a gap to the attempt before.
            if self._fetches == 1:
                self._continues = self._continues or fetcher.continues
        losses, self._losses = self._losses, ()
        feed = self._feed
        files = self._files + (feed.files if feed else 0)
        return Sighting(
            media_seconds=self._seconds + (feed.media_seconds if feed else 0.0),
            bytes_recorded=self._bytes + (feed.bytes_written if feed else 0),
            media=feed.media if feed else None,
            losses=losses,
            end=self._end(),
            stream=self._stream,
            restarts=max(0, self._fetches - 1) + max(0, files - 1),
            continues=self._continues,
            is_behind=any(fetcher.is_behind for fetcher in self._fetchers),
            is_numbered=bool(self._fetchers) and all(one.is_numbered for one in self._fetchers),
            is_expiring=self._renew_at is not None and time.time() >= self._renew_at,
            hindrance=next((one.hindrance for one in self._fetchers if one.hindrance), None),
            patience=min(
                LONGEST_PATIENCE,
                max((fetcher.patience for fetcher in self._fetchers), default=0.0),
            ),
        )

    def pause(self) -> None:
        """Stop the fetchers; a feed that found no way to write is replaced."""
        self._stop_fetchers()
        self._fetchers = []
        if self._feed is not None and self._feed.unusable is not None:
            self._close_feed()
            self._feed = None

    def close(self) -> None:
        """Stop the fetchers, then let the feed finalise its file."""
        self._stop_fetchers()
        if self._feed is not None:
            self._feed.close()

    def _end(self) -> FetchEnd | None:
        if self._feed is not None and self._feed.unusable is not None:
            return FetchEnd("unusable", plain(self._feed.unusable, LONGEST_DETAIL))
        ends = [fetcher.end for fetcher in self._fetchers if fetcher.end is not None]
        if not ends:
            return None
        # One track alone is no recording: whichever ended badly decides.
        bad = [end for end in ends if end.kind != "ended"]
        if bad:
            return bad[0]
        return ends[0] if len(ends) == len(self._fetchers) else None

    def _stop_fetchers(self) -> None:
        for fetcher in self._fetchers:
            fetcher.close()
            self._losses += fetcher.take_losses()

    def _close_feed(self) -> None:
        if self._feed is None:
            return
        self._feed.close()
        self._seconds += self._feed.media_seconds
        self._bytes += self._feed.bytes_written
        self._files += self._feed.files


def _renew_at(stream: Stream, before: Stream | None) -> float | None:
    """Return when the site should be asked for other addresses (Unix time), None for never."""
    # Where segments are not told apart, a new connection is a break: it waits for the old one's.
    if stream.expires_at is None or stream.protocol not in {"hls", "dash"}:
        return None
    expires_at, now = stream.expires_at.timestamp(), time.time()
    known = before.expires_at if before is not None else None
    if expires_at <= now or (known is not None and stream.expires_at <= known):
        return None  # clocks differ, or the site has no other
    return expires_at - min(RENEW_WITHIN, (expires_at - now) / 3)
