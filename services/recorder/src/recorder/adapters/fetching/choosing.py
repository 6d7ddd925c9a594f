"""Choosing the fetchers of a stream by its protocol."""

from __future__ import annotations

from collections.abc import Callable

from chronicle_sources import Credentials
from chronicle_sources.exchange import Request

from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.dash.fetcher import DashFetcher
from recorder.adapters.fetching.dash.model import Wanted
from recorder.adapters.fetching.dash.source import DashSource
from recorder.adapters.fetching.fetcher import Fetcher, Sink
from recorder.adapters.fetching.position import Positions
from recorder.adapters.fetching.progressive import HttpFetcher
from recorder.adapters.fetching.ytdlp import YtdlpFetcher
from recorder.domain.stream import Stream
from recorder.ports import Ledger


class Fetchers:
    """Makes fetchers; what must outlive one of them (positions, refusals) is kept here.

    `url` is the job's; `since` is the moment (Unix time) from which on media is wanted as far
    as the source still has it, None for the live edge.
    """

    def __init__(
        self,
        positions: Positions,
        ledger: Ledger,
        *,
        url: str,
        since: float | None,
        credentials: Credentials,
        allow_private: bool,
    ) -> None:
        self._ledger = ledger
        self._positions = positions
        self._url = url
        self._since = since
        self._credentials = credentials
        self._allow_private = allow_private
        self._refused: set[str] = set()

    def __call__(self, stream: Stream, sink: Callable[[int], Sink]) -> list[Fetcher]:
        """Return the fetchers of a stream, one for each of its tracks, not started yet."""
        assert stream.media_url is not None
        is_film = stream.live_status == "finished"
        urls = [stream.media_url, *([stream.audio_url] if stream.audio_url else [])]
        access = Access(
            stream.headers,
            allow_private=self._allow_private,
            credentials=self._credentials,
            cookies=stream.cookies,
            places=(self._url, *urls),
        )
        if stream.protocol == "hls":
            # streamlink takes 12 MB: who records something else does not pay for it.
            from recorder.adapters.fetching.hls.fetcher import HlsFetcher  # noqa: PLC0415

            return [
                HlsFetcher(
                    url,
                    sink(track),
                    access=access,
                    ledger=self._ledger,
                    positions=self._positions,
                    track=track,
                    refused_before=self._refused,
                    since=self._since,
                    is_rest=stream.is_rest,
                )
                for track, url in enumerate(urls)
            ]
        if stream.protocol == "dash":
            sources = {url: DashSource(url, access) for url in urls}
            return [
                DashFetcher(
                    sources[url],
                    sink(track),
                    wanted=wanted,
                    ledger=self._ledger,
                    positions=self._positions,
                    track=track,
                    refused_before=self._refused,
                    since=self._since,
                    is_rest=stream.is_rest,
                )
                for track, (url, wanted) in enumerate(zip(urls, _wanted(stream), strict=True))
            ]
        if stream.protocol == "ytdlp":
            request = Request(
                url=self._url,
                quality=stream.format_id,
                live_from_start=self._since == 0,
                credentials=self._credentials,
                allow_private=self._allow_private,
            )
            return [
                YtdlpFetcher(
                    request,
                    sink(track),
                    ledger=self._ledger,
                    positions=self._positions,
                    track=track,
                )
                for track in range(len(urls))
            ]
        return [
            HttpFetcher(url, sink(track), access=access, is_film=is_film)
            for track, url in enumerate(urls)
        ]


def _wanted(stream: Stream) -> list[Wanted]:
    """Return what each track of a presentation is to be made of, by yt-dlp's choice."""
    named: list[str | None] = [*(stream.format_id or "").split("+")]
    if stream.audio_url is None:
        return [Wanted("any", stream.format_id, stream.height)]
    if len(named) != 2:
        named = [None, None]
    return [Wanted("video", named[0], stream.height), Wanted("audio", named[1])]
