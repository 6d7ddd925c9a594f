"""A manifest cannot make us fetch what the recorder may not reach, however it is written."""

import functools

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.dash.fetcher import DashFetcher
from recorder.adapters.fetching.dash.model import Wanted
from recorder.adapters.fetching.dash.source import DashSource
from recorder.adapters.fetching.position import Positions

from services.recorder.tests.egress.outside import answer
from services.recorder.tests.egress.spellings import spellings
from services.recorder.tests.egress.trial import Trial
from services.recorder.tests.test_hls import Noted

MANIFEST = """<?xml version="1.0"?>{doctype}<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:o="urn:other" type="static"
 mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011">{top}<Period>
<AdaptationSet mimeType="video/mp4"><Representation id="{name}" bandwidth="500000" width="160"
 height="90" codecs="avc1.4d401e">{inner}</Representation></AdaptationSet></Period></MPD>"""

TEMPLATE = '<SegmentTemplate duration="1" startNumber="1" media="{}" initialization="{}"/>'
LIST = '<SegmentList duration="1"><Initialization sourceURL="{0}"/><SegmentURL {1}/></SegmentList>'


def manifest(inner, *, top="", name="v", doctype=""):
    return MANIFEST.format(inner=inner, top=top, name=name, doctype=doctype)


# Where an address may stand; each makes a manifest of one.
PLACES = {
    "base of the representation": lambda url: manifest(f"<BaseURL>{url}</BaseURL>"),
    "base of the manifest": lambda url: manifest(
        TEMPLATE.format("$Number$.m4s", "init.mp4"), top=f"<BaseURL>{url}</BaseURL>"
    ),
    "template": lambda url: manifest(TEMPLATE.format(url, url)),
    "list": lambda url: manifest(LIST.format(url, f'media="{url}"')),
    "location": lambda url: manifest(
        TEMPLATE.format("$Number$.m4s", "init.mp4"), top=f"<Location>{url}</Location>"
    ),
    # What one parser finds, another may not: names without namespace or case, nested texts.
    "base in small letters": lambda url: manifest(f"<baseurl>{url}</baseurl>"),
    "base of another namespace": lambda url: manifest(f"<o:BaseURL>{url}</o:BaseURL>"),
    "base with an element in it": lambda url: manifest(
        f"<BaseURL>{url[:5]}<x/>{url[5:]}</BaseURL>"
    ),
    "base with a comment in it": lambda url: manifest(
        f"<BaseURL>{url[:5]}<!-- -->{url[5:]}</BaseURL>"
    ),
    "attribute of another namespace": lambda url: manifest(
        TEMPLATE.format(url, url).replace(" media", " o:media").replace(" init", " o:init")
    ),
    "identity": lambda url: manifest(
        TEMPLATE.format("$RepresentationID$", "$RepresentationID$"), name=url
    ),
    "half an identity": lambda url: manifest(
        TEMPLATE.format("$RepresentationID$" + url[4:], "$RepresentationID$" + url[4:]),
        name=url[:4],
    ),
    "entity": lambda url: manifest(
        "<BaseURL>&a;</BaseURL>", doctype=f'<!DOCTYPE MPD [<!ENTITY a "{url}">]>'
    ),
    "entity from outside": lambda url: manifest(
        "<BaseURL>&a;</BaseURL>", doctype=f'<!DOCTYPE MPD [<!ENTITY a SYSTEM "{url}">]>'
    ),
    "doctype": lambda url: manifest("", doctype=f'<!DOCTYPE MPD SYSTEM "{url}">'),
    "link": lambda url: manifest(f'<SegmentList xlink:href="{url}" xlink:actuate="onLoad"/>'),
    "broken manifest": lambda url: manifest(f"<BaseURL>{url}</BaseURL>")[:-3],
}
ADDRESSES = ("loopback", "file", "http without slashes")
OTHERS = ("mapped", "any", "tcp", "concat", "data", "subfile", "ftp", "scheme of the page")
# What lies at the address of a segment: it is passed on as it is, and followed by nobody.
LISTS = {
    "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "concat list": "ffconcat version 1.0\nfile '{}'\n",
    "manifest": manifest("<BaseURL>{}</BaseURL>"),
}
WAYS = [
    *((place, name) for place in PLACES for name in ADDRESSES),
    *(("list", name) for name in OTHERS),
    *((f"{kind} as segment", name) for kind in LISTS for name in ("loopback", "file")),
    ("redirect of segment", "loopback"),
    ("redirect of manifest", "loopback"),
    ("redirect of manifest", "file"),
]


@pytest.fixture(scope="module")
def trials(outside):
    begun = {way: begin(outside, way) for way in WAYS}
    yield begun
    for trial in begun.values():
        trial.close()


def begin(outside, way):
    place, name = way
    path = "/" + "-".join(place.split() + name.split()).replace(",", "")

    def make(victim, names, sink):
        url = spellings(victim.port)[name]
        start = outside.url(path)
        if place == "redirect of manifest":
            outside.redirect(path, url)
        elif place == "redirect of segment":
            serve(outside, path, PLACES["list"](outside.redirect(f"{path}.mp4", url)))
        elif place.endswith("as segment"):
            outside.pages[f"{path}.mp4"] = (
                LISTS[place.removesuffix(" as segment")].format(url).encode()
            )
            serve(outside, path, PLACES["list"](outside.url(f"{path}.mp4")))
        else:
            serve(outside, path, PLACES[place](url))
        fetcher = dash_of(start, sink, Access(allow_private=False))
        fetcher._source.http.connections.vet = names.vet
        return fetcher

    return Trial(make)


def dash_of(url, sink, access):
    return DashFetcher(
        DashSource(url, access),
        sink,
        wanted=Wanted("any"),
        ledger=Noted(),
        positions=Positions(),
        track=0,
        refused_before=set(),
        since=0.0,
    )


def serve(outside, path, text):
    # Not by its type: a manifest is what is read as one.
    outside.pages[path] = functools.partial(answer, body=text.encode(), Content_Type="text/plain")


class TestManifest:
    @pytest.mark.parametrize("way", WAYS, ids=" as ".join)
    def test_leads_nowhere_inside(self, trials, way):
        end, losses = trials[way].result()
        # What came from outside (a list in place of media) is passed on; nothing else came.
        assert end.kind == "broken" or way[0].endswith("as segment") or losses == ()
        assert end.detail

    def test_is_told_from_a_bad_one(self, trials):
        end, _ = trials["list", "loopback"].result()
        assert "leads to an address that is not public" in end.detail
