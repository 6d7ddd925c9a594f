"""Resolving a page cannot make yt-dlp fetch what it may not reach."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from chronicle_sources import SourceError, resolve

from services.recorder.tests.egress.spellings import ALL, spellings
from services.recorder.tests.egress.victim import Victim

MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n"
PAGES = {
    "video": '<html><title>x</title><video src="{}"></video></html>',
    "card": '<html><meta property="og:video" content="{}"><title>x</title></html>',
    "frame": '<html><title>x</title><iframe src="{}"></iframe></html>',
    "refresh": '<html><meta http-equiv="refresh" content="0; url={}"></html>',
}
SOME = ("loopback", "name that leads inside", "file", "ftp", "data")
WAYS = [
    *(("address", name) for name in (*SOME, "mapped", "decimal", "any", "metadata")),
    *((f"redirect {status}", "loopback") for status in (301, 302, 303, 307, 308)),
    *(("redirect 302", name) for name in SOME[1:]),
    *((kind, name) for kind in ("master", *PAGES) for name in ("loopback", "file")),
    ("redirect 302", "rebinding"),
]


def prepared(outside, way, number, port):
    """Put a page for a way at the server; return the URL that somebody submits."""
    kind, name = way
    url = "http://rebind.test:{}/x" if name == "rebinding" else spellings(port)[name]
    url = url.format(port)
    if kind == "address":
        return url
    if kind.startswith("redirect"):
        return outside.redirect(f"/{number}.m3u8", url, status=int(kind.split()[1]))
    path = f"/{number}.m3u8" if kind == "master" else f"/{number}"
    outside.pages[path] = PAGES.get(kind, MASTER).format(url).encode()
    return outside.url(path)


@pytest.fixture(scope="module")
def answers(outside):
    """What the child says to each way, and the victims of each."""
    victims = {way: Victim() for way in WAYS}
    urls = {
        str(number): prepared(outside, way, number, victims[way].port)
        for number, way in enumerate(WAYS)
    }
    done = subprocess.run(
        [sys.executable, "-m", "services.recorder.tests.egress.resolving"],
        input=json.dumps(urls),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
        cwd=Path(__file__).parents[4],
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    yield {WAYS[int(number)]: (code, detail) for number, code, detail in said}, victims
    for victim in victims.values():
        victim.close()


class TestResolving:
    @pytest.mark.parametrize("way", WAYS, ids=" as ".join)
    def test_leads_nowhere_inside(self, answers, way):
        found, victims = answers
        code, detail = found[way]
        assert victims[way].visitors == []
        assert code is not None, "nothing recordable was found"
        assert "geheim" not in detail
        assert Path("/etc/hostname").read_text().strip() not in detail
        assert detail.isprintable()

    def test_says_that_an_address_leads_inside(self, answers):
        found, _ = answers
        for way in [("address", "mapped"), ("redirect 307", "loopback"), ("video", "loopback")]:
            assert found[way][0] == "forbidden_address"

    def test_connects_to_the_address_that_was_judged(self, answers):
        found, _ = answers
        # Public at the one look that there is; nobody listens there.
        assert found["redirect 302", "rebinding"][0] == "unreachable"

    def test_asks_the_outside_all_the_same(self, answers, outside):
        assert f"/{WAYS.index(('video', 'file'))}" in outside.asked

    @pytest.mark.parametrize("name", [name for name in ALL if name != "backslash"])
    def test_does_not_even_begin_with_an_address_inside(self, victim, name):
        with pytest.raises(SourceError) as caught:
            resolve(spellings(victim.port)[name], timeout=0.001)
        assert caught.value.code in {
            "forbidden_address",
            "forbidden_scheme",
            "bad_url",
            "unreachable",
        }
        assert victim.visitors == []
