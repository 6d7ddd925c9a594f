"""What comes from outside ends: in size, in time, in number."""

import functools
import gzip
import time

import pytest
from chronicle_sources import SourceError, resolve
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad
from recorder.adapters.capture import LONGEST_PATIENCE, FetchedCapture
from recorder.adapters.feeding.feed import Feed
from recorder.adapters.fetching import http_client
from recorder.adapters.fetching import progressive as http
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.dash import download as dash_download
from recorder.adapters.fetching.dash import source as dash_source
from recorder.adapters.fetching.fetcher import LONGEST_DETAIL, LONGEST_LOSS, Fetcher
from recorder.adapters.fetching.hls import fetcher as hls
from recorder.adapters.fetching.hls import playlist as hls_playlist
from recorder.adapters.fetching.hls import streamlink_http
from recorder.adapters.fetching.position import Positions
from recorder.domain.gaps import Loss
from recorder.domain.stream import Stream
from recorder.ports import FetchEnd

from services.recorder.tests.egress.outside import PUBLIC, answer
from services.recorder.tests.egress.test_dash_ways_in import LIST, dash_of, manifest
from services.recorder.tests.test_hls import Kept, Noted

HEAD = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
ENOUGH = 25.0  # seconds; far more than any bound below, far less than what is served


def endless(request, *, first=b"", piece=b"#" * 65536, pause=0.0, headers=True):
    """Answer with a body that never ends."""
    if headers:
        request.send_response(200)
        request.end_headers()
    request.wfile.write(first)
    until = time.monotonic() + 4 * ENOUGH
    while time.monotonic() < until:
        request.wfile.write(piece)  # raises when the other side has had enough
        time.sleep(pause)


def loud(request, *, name="X", count=1, size=1):
    """Answer with many, or with long headers."""
    request.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for number in range(count):
        request.wfile.write(f"{name}-{number}: {'x' * size}\r\n".encode())
    request.wfile.write(b"\r\nbody")


def forged(request):
    request.wfile.write(b"HTTP/1.0 403 \x1b[31m" + b"y" * 3000 + b"\r\n\r\n")


@pytest.fixture
def end_of():
    """Let a fetcher come to its end, in time; return what it kept and why it ended."""

    def run(make, url):
        sink = Kept()
        fetcher = make(url.replace("outside.test", PUBLIC), sink)
        began = time.monotonic()
        fetcher.start()
        fetcher._thread.join(ENOUGH)
        fetcher.close()
        assert time.monotonic() - began < ENOUGH, "it did not end"
        assert fetcher.end is not None
        return bytes(sink.data), fetcher.end

    return run


def by_hls(url, sink):
    return hls.HlsFetcher(
        url,
        sink,
        access=Access(allow_private=True),
        ledger=Noted(),
        positions=Positions(),
        track=0,
        refused_before=set(),
        since=0.0,
    )


def by_http(url, sink):
    return http.HttpFetcher(url, sink, access=Access(allow_private=True), is_film=True)


def by_dash(url, sink):
    return dash_of(url, sink, Access(allow_private=True))


class TestPlaylist:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr(streamlink_http, "PLAYLIST_PATIENCE", 1.0)

    @pytest.fixture
    def end(self, outside, end_of):
        def serve(page):
            outside.pages["/bounds.m3u8"] = page
            _, end = end_of(by_hls, outside.url("/bounds.m3u8"))
            assert end.kind == "broken"
            assert "geheim" not in end.detail
            return end.detail

        return serve

    def test_that_never_ends_is_left(self, end, monkeypatch):
        monkeypatch.setattr(streamlink_http, "PLAYLIST_PATIENCE", 20.0)
        assert "more than" in end(functools.partial(endless, first=HEAD))

    def test_that_drips_is_left(self, end):
        assert "takes more than" in end(functools.partial(endless, piece=b"#", pause=0.1))

    def test_that_unpacks_to_too_much_is_left(self, end, monkeypatch):
        monkeypatch.setattr(streamlink_http, "PLAYLIST_PATIENCE", 20.0)
        bomb = gzip.compress(HEAD + b"#" * 4 * streamlink_http.MOST_OF_PLAYLIST, 1)
        assert len(bomb) < streamlink_http.MOST_OF_PLAYLIST / 10
        packed = functools.partial(answer, body=bomb, Content_Encoding="gzip")
        assert "more than" in end(packed)

    def test_that_lists_too_much_is_left(self, end, monkeypatch):
        monkeypatch.setattr(hls_playlist, "MOST_LINES", 1000)
        assert "more than 1000 lines" in end(HEAD + b"#EXTINF:1,\na\n" * 501)

    def test_that_is_one_long_line_is_read_in_one_go(self, end, monkeypatch):
        monkeypatch.setattr(streamlink_http, "PLAYLIST_PATIENCE", 20.0)
        line = b"#EXTINF:1,\n" + b"a" * (streamlink_http.MOST_OF_PLAYLIST - 1000)
        assert end(HEAD + line + b"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n")

    @pytest.mark.parametrize("size", [{"count": 2000}, {"size": 1_000_000}])
    def test_with_headers_beyond_measure_is_left(self, end, size):
        assert end(functools.partial(loud, **size))

    def test_whose_headers_never_end_is_left(self, end, monkeypatch):
        monkeypatch.setattr(http_client, "HEADERS_WITHIN", 1.0)
        more = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert end(functools.partial(endless, piece=more, pause=0.05, headers=False))

    def test_that_is_refused_with_a_novel_is_quoted_in_short(self, outside, end_of):
        outside.pages["/forged.m3u8"] = forged
        make = by_hls
        _, end = end_of(make, outside.url("/forged.m3u8"))
        assert end.kind == "refused"
        assert end.detail.isprintable()
        assert len(end.detail) <= LONGEST_DETAIL


class TestSegment:
    @pytest.mark.parametrize(
        "piece", [{"piece": b"\x47" * 65536}, {"piece": b"\x47", "pause": 0.1}]
    )
    def test_that_never_ends_is_lost_and_the_next_one_comes(
        self, outside, end_of, monkeypatch, piece
    ):
        monkeypatch.setattr(hls, "MOST_OF_SEGMENT", 2_000_000)
        monkeypatch.setattr(hls, "SEGMENT_PATIENCE", 4.0)
        outside.pages["/good.ts"] = b"\x47good"
        outside.pages["/endless.ts"] = functools.partial(endless, **piece)
        segments = b"#EXTINF:1,\n/endless.ts\n#EXTINF:1,\n/good.ts\n#EXT-X-ENDLIST\n"
        outside.pages["/segments.m3u8"] = HEAD + segments
        make = by_hls
        data, end = end_of(make, outside.url("/segments.m3u8"))
        assert (data, end.kind) == (b"\x47good", "ended")

    @pytest.mark.parametrize(
        "piece", [{"piece": b"\x47" * 65536}, {"piece": b"\x47", "pause": 0.1}]
    )
    def test_of_dash_that_never_ends_is_lost_and_the_next_one_comes(
        self, outside, end_of, monkeypatch, piece
    ):
        monkeypatch.setattr(dash_download, "MOST_OF_SEGMENT", 2_000_000)
        monkeypatch.setattr(dash_download, "SEGMENT_PATIENCE", 4.0)
        outside.pages["/good.m4s"] = b"good"
        outside.pages["/endless.m4s"] = functools.partial(endless, **piece)
        outside.pages["/init.mp4"] = b"init"
        outside.pages["/segments.mpd"] = manifest(
            LIST.format("/init.mp4", 'media="/endless.m4s"/><SegmentURL media="/good.m4s"')
        ).encode()
        make = by_dash
        data, end = end_of(make, outside.url("/segments.mpd"))
        assert (data, end.kind) == (b"good", "ended")


class TestWhatASegmentNeeds:
    """A key, or the section that it stands on: without it every segment would be lost."""

    @pytest.mark.parametrize("need", ["map", "key"])
    def test_is_asked_for_again_where_it_fails(self, outside, end_of, need):
        key, plain = bytes(range(16)), b"\x47good"
        sealed = AES.new(key, AES.MODE_CBC, bytes(16)).encrypt(pad(plain, 16))
        body, tag = {
            "map": (b"init", b'#EXT-X-MAP:URI="/need"'),
            "key": (key, b'#EXT-X-KEY:METHOD=AES-128,URI="/need",IV=0x' + b"0" * 32),
        }[need]

        def need_it(request):
            is_early = outside.asked.count("/need") % 3 != 0
            answer(request, b"" if is_early else body, status=503 if is_early else 200)

        outside.asked.clear()
        outside.pages["/need"] = need_it
        outside.pages["/needing.ts"] = sealed if need == "key" else plain
        listed = HEAD + tag + b"\n#EXTINF:1,\n/needing.ts\n#EXT-X-ENDLIST\n"
        outside.pages["/needing.m3u8"] = listed
        data, end = end_of(by_hls, outside.url("/needing.m3u8"))
        assert (data, end.kind) == (plain, "ended")
        assert outside.asked.count("/need") == 3


class TestManifest:
    def test_that_never_ends_is_left(self, outside, end_of):
        outside.pages["/endless.mpd"] = functools.partial(endless, first=b"<MPD><!--")
        data, end = end_of(by_dash, outside.url("/endless.mpd"))
        assert end.kind == "broken"
        assert f"more than {dash_source.MOST_OF_MANIFEST} bytes" in end.detail
        assert not data

    def test_whose_entities_multiply_is_left(self, outside, end_of):
        entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        text = f'<!DOCTYPE MPD [<!ENTITY a0 "{"x" * 100}">{entities}]><MPD>&a9;</MPD>'
        outside.pages["/laughs.mpd"] = text.encode()
        _, end = end_of(by_dash, outside.url("/laughs.mpd"))
        assert end.kind == "broken"
        assert "the manifest cannot be read" in end.detail


class TestPage:
    def test_that_never_ends_is_left(self, outside):
        outside.pages["/endless"] = functools.partial(endless, piece=b"<p>" * 100_000)
        with pytest.raises(SourceError) as caught:
            resolve(
                outside.url("/endless").replace("outside.test", PUBLIC),
                timeout=ENOUGH,
                allow_private=True,
            )
        assert caught.value.code in {"unsupported", "timeout"}
        assert "geheim" not in caught.value.detail


class TestLoss:
    @pytest.mark.parametrize("claim", [1e300, float("inf"), float("nan")])
    def test_is_no_longer_than_can_be_believed(self, claim):
        fetcher = Fetcher(Kept(), "claiming")
        fetcher.lose(Loss("segments left the playlist", claim))
        assert [loss.seconds for loss in fetcher.take_losses()] == [LONGEST_LOSS]


class Slow(Fetcher):
    """A fetcher of a playlist that claims segments of thirty years."""

    @property
    def patience(self):
        return 1e9

    def _fetch(self):
        self._stop.wait(ENOUGH)
        return FetchEnd("broken", "stopped")


class TestPatience:
    def test_is_no_longer_than_a_source_may_claim(self):
        def never(_):
            raise AssertionError

        capture = FetchedCapture(
            lambda _, sink: [Slow(sink(0), "slow")], lambda tracks: Feed(tracks, never)
        )
        capture.fetch(Stream(protocol="hls", live_status="live", media_url="http://h/x.m3u8"))
        try:
            assert capture.look().patience == LONGEST_PATIENCE
        finally:
            capture.close()
