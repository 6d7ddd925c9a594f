"""A plain address cannot make the recorder fetch what it may not reach."""

import pytest
from recorder.adapters.fetching import progressive as http
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.http_client import MOST_REDIRECTS

from services.recorder.tests.egress.outside import answer
from services.recorder.tests.egress.spellings import ALL, spellings
from services.recorder.tests.egress.trial import Trial

WAYS = [
    *(("address", name) for name in ALL),
    *(("redirect", name) for name in ALL),
    ("address", "rebinding"),
    ("redirect", "too many"),
]


@pytest.fixture(scope="module")
def trials(outside):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "FAILING_LIMIT", 0.2)
        begun = {way: begin(outside, way) for way in WAYS}
        yield begun
    for trial in begun.values():
        trial.close()


def begin(outside, way):
    kind, name = way
    path = "/" + "-".join((kind, *name.split())).replace(",", "")

    def make(victim, names, sink):
        if name == "rebinding":
            names.vet("rebind.test", victim.port)
            url = f"http://rebind.test:{victim.port}/x.ts?token=geheim"
        elif name == "too many":
            url = outside.redirect(path, outside.url(path))
        else:
            url = spellings(victim.port)[name]
            url = outside.redirect(path, url) if kind == "redirect" else url
        fetcher = http.HttpFetcher(url, sink, access=Access(allow_private=False), is_film=True)
        fetcher.http.connections.vet = names.vet
        return fetcher

    return Trial(make)


class TestPlainAddress:
    @pytest.mark.parametrize("way", WAYS, ids=" as ".join)
    def test_leads_nowhere_inside(self, trials, way):
        end, _ = trials[way].result()
        assert end.kind in {"broken", "refused"}
        assert end.detail != "The server sends nothing."
        assert not trials[way].sink.data

    def test_says_that_it_leads_inside(self, trials):
        end, _ = trials["redirect", "loopback"].result()
        assert "leads to an address that is not public" in end.detail

    def test_is_followed_so_many_times_only(self, trials, outside):
        trials["redirect", "too many"].result()
        asked = outside.asked.count("/redirect-too-many")
        assert asked % (MOST_REDIRECTS + 1) == 0, "times a number of attempts"

    def test_is_fetched_past_the_proxy_of_the_environment(
        self, outside, victim, names, monkeypatch
    ):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{victim.port}")
        outside.pages["/good.ts"] = lambda request: answer(request, b"\x47good")

        def make(_, __, sink):
            fetcher = http.HttpFetcher(
                outside.url("/good.ts"), sink, access=Access(allow_private=False), is_film=True
            )
            fetcher.http.connections.vet = names.vet
            return fetcher

        trial = Trial(make)
        end, _ = trial.result()
        assert (end.kind, bytes(trial.sink.data)) == ("ended", b"\x47good")
        assert victim.visitors == []
