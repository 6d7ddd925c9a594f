"""yt-dlp's own downloaders reach nothing of this machine, and end with the recorder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chronicle_sources.exchange import Answer, DownloadRequest, Request
from chronicle_sources.frames import ANSWER, BYTES, MISSED, frames
from recorder.adapters.fetching.position import Positions
from recorder.adapters.fetching.ytdlp import YtdlpFetcher

from services.recorder.tests.egress.test_dash_ways_in import LIST, manifest
from services.recorder.tests.test_hls import Kept, Noted

SCRIPT = "services.recorder.tests.egress.downloading"


@pytest.fixture
def fetched(outside, tmp_path):
    """Let the child fetch something of the outside; return what it brought and its answer."""

    def fetch(text):
        outside.pages["/film.mpd"] = text.encode()
        request = Request(url=outside.url("/film.mpd"), quality="b*")
        found, answer = brought_by(SCRIPT, DownloadRequest(request=request), tmp_path)
        return [one.data for one in found if one.number >= BYTES], answer

    return fetch


def brought_by(script, order, folder):
    """Return all frames of a child, and its answer."""
    child = subprocess.Popen(
        [sys.executable, "-m", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=folder,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(order.model_dump_json().encode() + b"\n")
    child.stdin.flush()
    found = list(frames(child.stdout))  # type: ignore[arg-type]
    child.stdin.close()
    child.wait(30)
    child.stdout.close()
    assert found[-1].number == ANSWER
    return found[:-1], Answer.model_validate_json(found[-1].data)


class TestLiveFromStart:
    """By a site that is made up: the real one cannot be reached from a test."""

    @pytest.mark.parametrize(("after", "expected"), [(None, [0, 1, 3, 4, 5]), (3, [0, 4, 5])])
    def test_brings_every_segment_by_its_number_and_tells_the_missing(
        self, outside, tmp_path, after, expected
    ):
        # Without a gap in its name: yt-dlp asks for what lies below the page.
        outside.pages |= {f"/live/sq/{number}": b"%d" % number for number in expected}
        url = outside.url("/live").replace("outside.test", "127.0.0.2").partition("?")[0]
        request = Request(url=url, quality="137", live_from_start=True, allow_private=True)
        order = DownloadRequest(request=request, after=after)
        found, answer = brought_by("services.recorder.tests.egress.generating", order, tmp_path)
        assert answer.code is None, answer.detail
        numbers = [one.number for one in found if one.number >= 0]
        assert numbers == expected
        assert [one.data for one in found if one.number >= 0] == [b"%d" % one for one in numbers]
        missed = [int(one.data) for one in found if one.number == MISSED]
        assert missed == ([2] if after is None else [])


class TestDownloader:
    def test_brings_what_lies_outside(self, fetched, outside):
        outside.pages |= {"/i.mp4": b"init", "/a.m4s": b"media"}
        listed = LIST.format("/i.mp4", 'media="/a.m4s"')
        brought, answer = fetched(manifest(listed))
        assert (brought, answer.code) == ([b"init", b"media"], None)

    @pytest.mark.parametrize("way", ["address", "name", "redirect"])
    def test_brings_nothing_from_inside(self, fetched, outside, victim, way):
        inside = f"http://127.0.0.1:{victim.port}/x.m4s"
        url = {
            "address": inside,
            "name": f"http://private.test:{victim.port}/x.m4s",
            "redirect": outside.redirect("/r.m4s", inside),
        }[way]
        outside.pages["/i.mp4"] = b"init"
        brought, answer = fetched(manifest(LIST.format("/i.mp4", f'media="{url}"')))
        assert victim.visitors == []
        assert b"".join(brought) in {b"", b"init"}
        assert "geheim" not in answer.detail

    def test_reads_no_file(self, fetched, outside, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("secret")
        outside.pages["/i.mp4"] = b"init"
        brought, _ = fetched(manifest(LIST.format("/i.mp4", f'media="file://{secret}"')))
        assert b"".join(brought) in {b"", b"init"}


def group_of(pid):
    """The processes of a process group."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return [one for one in stats if one.rpartition(")")[2].split()[2] == str(pid)]


class TestChild:
    @pytest.fixture
    def fetcher(self, outside):
        outside.pages["/mute.mpd"] = lambda request: time.sleep(30)
        url = outside.url("/mute.mpd").replace("outside.test", "127.0.0.2")
        made = YtdlpFetcher(
            Request(url=url, allow_private=True),
            Kept(),
            ledger=Noted(),
            positions=Positions(),
            track=0,
        )
        before = outside.asked.count("/mute.mpd")
        made.start()
        deadline = time.monotonic() + 60
        while outside.asked.count("/mute.mpd") == before:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield made
        made.close()

    def test_is_killed_when_the_fetcher_is_closed(self, fetcher):
        pid = fetcher._child.pid
        fetcher.close()
        assert fetcher.end.kind == "broken"
        assert group_of(pid) == []

    def test_says_that_it_was_killed(self, fetcher):
        os.killpg(fetcher._child.pid, signal.SIGKILL)
        fetcher._thread.join(60)
        assert fetcher.end.kind == "broken"
        assert "yt-dlp broke off" in fetcher.end.detail

    def test_shows_no_address_in_the_list_of_processes(self, fetcher):
        said = Path(f"/proc/{fetcher._child.pid}/cmdline").read_bytes()
        assert b"mute" not in said
        assert b"geheim" not in said
