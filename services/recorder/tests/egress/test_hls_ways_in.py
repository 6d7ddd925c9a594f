"""A playlist cannot make the recorder fetch what it may not reach."""

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.hls.fetcher import HlsFetcher
from recorder.adapters.fetching.position import Positions

from services.recorder.tests.egress.spellings import ALL, SOME, spellings
from services.recorder.tests.egress.trial import Trial
from services.recorder.tests.test_hls import Noted

FIRST, LAST = b"\x47first" * 100, b"\x47last" * 100
HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
END = "#EXT-X-ENDLIST\n"


def in_segment(url):
    return f"{HEAD}#EXTINF:1,\n/first.ts\n#EXTINF:1,\n{url}\n#EXTINF:1,\n/last.ts\n{END}"


def in_key(url):
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n'
    return f"{HEAD}#EXTINF:1,\n/first.ts\n{key}#EXTINF:1,\n/last.ts\n{END}"


def in_map(url):
    return f'{HEAD}#EXT-X-MAP:URI="{url}"\n#EXTINF:1,\n/first.ts\n#EXTINF:1,\n/last.ts\n{END}'


def in_variant(url):
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}\n"


def in_rendition(url):
    sound = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{url}"\n'
    return f'#EXTM3U\n{sound}#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n/good.m3u8\n'


PLACES = {
    "segment": in_segment,
    "key": in_key,
    "map": in_map,
    "variant": in_variant,
    "rendition": in_rendition,
}
WAYS = [
    *(("segment", name) for name in ALL),
    *((place, name) for place in PLACES if place != "segment" for name in SOME),
    *(("playlist", name) for name in SOME),
    *(
        (f"redirect {status} of {place}", "loopback")
        for status in (301, 302, 303, 307, 308)
        for place in ("segment", "playlist")
    ),
    *((f"redirect 302 of {place}", "file") for place in ("segment", "playlist", "key", "map")),
    *((f"redirect 302 of {place}", "metadata") for place in ("key", "map")),
    *((f"chain of {place}", "mapped") for place in ("segment", "playlist", "key")),
    ("segment", "rebinding"),
    ("segment", "rebinding after a redirect"),
]


class Evil:
    """Makes the playlists, one for each way, and what they need at the server."""

    def __init__(self, outside):
        self.outside = outside
        outside.pages |= {"/first.ts": FIRST, "/last.ts": LAST, "/once.ts": FIRST}

    def begin(self, way):
        place, name = way
        path = "/" + "-".join(place.split() + name.split()).replace(",", "")

        def make(victim, names, sink):
            url = self._target(path, place, name, victim)
            where = place.rpartition(" ")[2]
            if where != "playlist":
                self.outside.pages[f"{path}.m3u8"] = PLACES[where](url).encode()
                url = self.outside.url(f"{path}.m3u8")
            fetcher = HlsFetcher(
                url,
                sink,
                access=Access(allow_private=False),
                ledger=Noted(),
                positions=Positions(),
                track=0,
                refused_before=set(),
                since=0.0,
            )
            fetcher.http.connections.vet = names.vet
            return fetcher

        return Trial(make)

    def _target(self, path, place, name, victim):
        if name == "rebinding":  # the first answer lets the guard pass, the second is connected to
            return f"http://rebind.test:{victim.port}/x.ts?token=geheim"
        if name == "rebinding after a redirect":
            return self.outside.redirect(path, f"http://rebind.test:{victim.port}/x.ts")
        url = spellings(victim.port)[name]
        if place.startswith("chain"):
            for step in range(5):
                url = self.outside.redirect(f"{path}/{step}", url)
        elif place.startswith("redirect"):
            url = self.outside.redirect(path, url, status=int(place.split()[1]))
        return url


@pytest.fixture(scope="module")
def trials(outside):
    """All of them at once: most of the time of each is waiting between retries."""
    evil = Evil(outside)
    begun = {way: evil.begin(way) for way in WAYS}
    yield begun
    for trial in begun.values():
        trial.close()


class TestPlaylist:
    @pytest.mark.parametrize("way", WAYS, ids=" as ".join)
    def test_leads_nowhere_inside(self, trials, way):
        end, losses = trials[way].result()
        place = way[0].rpartition(" ")[2]
        if place in {"playlist", "variant", "rendition"}:
            assert end.kind == "broken"
            assert end.detail.startswith("The playlist cannot be read: ")
        if place == "segment" and end.kind == "ended":
            assert FIRST in trials[way].sink.data
            assert LAST in trials[way].sink.data
            assert sum(loss.seconds for loss in losses) == 1

    def test_is_fetched_from_outside_all_the_same(self, trials, outside):
        trial = trials["segment", "loopback"]
        end, _ = trial.result()
        assert end.kind == "ended"
        assert set(trial.names.refused) == {"127.0.0.1"}
        assert {"/segment-loopback.m3u8", "/first.ts", "/last.ts"} <= set(outside.asked)
