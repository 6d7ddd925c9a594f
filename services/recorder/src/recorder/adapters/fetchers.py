"""Choosing the fetchers of a stream by its protocol."""

from __future__ import annotations

from collections.abc import Callable

from recorder.adapters.dash import DashFetcher
from recorder.adapters.fetching import Fetcher, Sink
from recorder.adapters.ffmpeg import Ffmpeg
from recorder.adapters.hls_position import HlsPositions
from recorder.adapters.http import HttpFetcher
from recorder.domain.stream import Stream
from recorder.ports import Ledger


class Fetchers:
    """Makes fetchers; what must outlive one of them (positions, refusals) is kept here."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        positions: HlsPositions,
        ledger: Ledger,
        *,
        from_start: bool,
        allow_private: bool,
    ) -> None:
        self._ffmpeg = ffmpeg
        self._ledger = ledger
        self._positions = positions
        self._from_start = from_start
        self._allow_private = allow_private
        self._refused: set[str] = set()

    def __call__(self, stream: Stream, sink: Callable[[int], Sink]) -> list[Fetcher]:
        """Return the fetchers of a stream, one for each of its tracks, not started yet."""
        assert stream.media_url is not None
        is_film = stream.live_status == "finished"
        if stream.protocol == "hls":
            # streamlink takes 12 MB: who records something else does not pay for it.
            from recorder.adapters.hls import HlsFetcher  # noqa: PLC0415

            urls = [stream.media_url, *([stream.audio_url] if stream.audio_url else [])]
            return [
                HlsFetcher(
                    url,
                    sink(track),
                    headers=stream.headers,
                    positions=self._positions,
                    track=track,
                    refused_before=self._refused,
                    from_start=self._from_start,
                    allow_private=self._allow_private,
                )
                for track, url in enumerate(urls)
            ]
        if stream.protocol == "dash":
            return [
                DashFetcher(
                    self._ffmpeg,
                    stream.media_url,
                    sink(0),
                    headers=stream.headers,
                    is_film=is_film,
                    allow_private=self._allow_private,
                    format_id=stream.format_id,
                )
            ]
        return [
            HttpFetcher(
                stream.media_url,
                sink(0),
                headers=stream.headers,
                is_film=is_film,
                allow_private=self._allow_private,
            )
        ]
