"""Fetching live DASH from a real origin, whatever the origin does."""

from __future__ import annotations

import http.server
import re
import threading
import time
from datetime import UTC, datetime

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.dash.fetcher import DashFetcher
from recorder.adapters.fetching.dash.model import Wanted
from recorder.adapters.fetching.dash.source import DashSource
from recorder.adapters.fetching.position import Positions

from services.recorder.tests.test_hls import Kept, Noted, without_a_hole

EACH = 0.2  # seconds of a segment


def body(number):
    return f"<{number:05d}>".encode()


class DashOrigin:
    """A live presentation of segments that are told by `way`: "numbers", or "times"."""

    def __init__(self, way):
        self.way = way
        self.began = time.time() - 20 * EACH
        self.window = 60
        self.first = 0  # the number that the source counts from
        self.status = 200
        self.mangled = lambda manifest: manifest
        self.missing: set[int] = set()
        self.refused: set[int] = set()
        self.ended_after: int | None = None
        self.is_film = True  # when it has ended
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, data = outer.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/live.mpd"

    @property
    def newest(self):
        """The number of the newest segment."""
        newest = int((time.time() - self.began) / EACH) - 1
        return newest if self.ended_after is None else min(newest, self.ended_after)

    def end(self, *, as_film=True):
        self.is_film = as_film
        self.ended_after = self.newest

    def wait_for(self, number):
        while self.newest < number:
            time.sleep(0.02)

    def answer(self, path):
        if path == "/live.mpd":
            return self.status, self.mangled(self.manifest()).encode()
        number = int(re.findall(r"\d+", path)[0]) // (200 if self.way == "times" else 1)
        if number in self.refused:
            return 403, b""
        if number in self.missing or number > self.newest or number < self.newest - self.window:
            return 404, b""
        return 200, body(number)

    def manifest(self):
        newest = self.newest
        first = max(0, newest - self.window + 1)
        if self.way == "numbers":
            inner = 'media="$Number$" startNumber="0" duration="200"/>'
        else:
            line = f'<S t="{first * 200}" d="200" r="{newest - first}"/>'
            inner = f'media="$Time$"><SegmentTimeline>{line}</SegmentTimeline></SegmentTemplate>'
        starts = datetime.fromtimestamp(self.began, UTC)
        is_film = self.ended_after is not None and self.is_film
        kind = "static" if is_film else 'dynamic" minimumUpdatePeriod="PT0.2S'
        length = f'mediaPresentationDuration="PT{(newest + 1) * EACH:.3f}S"' if is_film else ""
        return (
            f'<MPD type="{kind}" availabilityStartTime="{starts:%Y-%m-%dT%H:%M:%S.%fZ}" {length} '
            f'timeShiftBufferDepth="PT{self.window * EACH:.1f}S"><Period id="p" start="PT0S">'
            f'<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1">'
            f'<SegmentTemplate timescale="1000" {inner}</Representation></AdaptationSet>'
            f"</Period></MPD>"
        )

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Viewing:
    """Fetchers of one origin, one after the other, with what must outlive them."""

    fetcher: DashFetcher

    def __init__(self, origin):
        self.origin = origin
        self.sink = Kept()
        self.noted = Noted()
        self.positions = Positions()
        self.refused: set[str] = set()
        self.since: float | None = None
        self.losses = []

    def begin(self):
        self.fetcher = DashFetcher(
            DashSource(self.origin.url, Access(allow_private=True)),
            self.sink,
            wanted=Wanted("any"),
            ledger=self.noted,
            positions=self.positions,
            track=0,
            refused_before=self.refused,
            since=self.since,
        )
        self.fetcher.start()
        return self

    def until(self, condition, within=60.0):
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, "it did not come to that in time"
            time.sleep(0.02)
        return self

    def until_kept(self, number):
        return self.until(lambda: body(number) in self.sink.data)

    def to_the_end(self, kind="ended"):
        self.origin.end()
        self.until(lambda: self.fetcher.end is not None)
        assert self.fetcher.end is not None
        assert self.fetcher.end.kind == kind
        return self.stop()

    def stop(self):
        self.fetcher.close()
        self.losses += self.fetcher.take_losses()
        return self

    @property
    def numbers(self):
        return [int(one) for one in re.findall(rb"<(\d{5})>", bytes(self.sink.data))]


@pytest.fixture(params=["numbers", "times"])
def origin(request):
    opened = DashOrigin(request.param)
    yield opened
    opened.close()


@pytest.fixture
def viewing(origin):
    opened = Viewing(origin)
    yield opened
    opened.fetcher.close()


class TestDashFetcher:
    def test_takes_every_segment_once_until_it_becomes_a_film(self, viewing, origin):
        began = origin.newest
        viewing.begin().until_kept(began + 6).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.numbers[0] >= began - 3
        assert viewing.numbers[-1] == origin.newest
        assert viewing.sink.is_finished.is_set()
        assert viewing.losses == []

    def test_notes_every_segment_with_its_time(self, viewing, origin):
        viewing.begin().until_kept(origin.newest + 3).to_the_end()
        assert len(viewing.noted.segments) == len(viewing.numbers)
        for one, number in zip(viewing.noted.segments, viewing.numbers, strict=True):
            assert (one.size, one.seconds) == (7, pytest.approx(EACH))
            assert one.programme_time.timestamp() == pytest.approx(origin.began + number * EACH)

    def test_begins_with_the_oldest_that_is_offered_where_that_is_asked_for(self, viewing, origin):
        viewing.since = 0.0
        origin.began, origin.window = time.time() - 60 * EACH, 40
        oldest = origin.newest - origin.window
        viewing.begin().until_kept(origin.newest + 2).to_the_end()
        assert oldest <= viewing.numbers[0] < oldest + 30
        assert without_a_hole(viewing.numbers)
        assert viewing.losses == []

    def test_tells_which_segments_it_could_not_get(self, viewing, origin):
        lost = origin.newest + 4
        origin.missing = {lost, lost + 1}
        origin.window = 100
        viewing.begin().until_kept(lost + 4).to_the_end()
        assert lost not in viewing.numbers
        assert [loss.segments for loss in viewing.losses] == [1, 1]
        assert sum(loss.seconds for loss in viewing.losses) == pytest.approx(2 * EACH)

    def test_tells_what_left_the_window_before_it_came_back(self, viewing, origin):
        viewing.begin().until_kept(origin.newest + 2).stop()
        last = viewing.numbers[-1]
        origin.window = 10
        origin.wait_for(last + 2 * origin.window)
        viewing.begin().until_kept(origin.newest + 2).to_the_end()
        missing = len(range(viewing.numbers[0], viewing.numbers[-1] + 1)) - len(viewing.numbers)
        assert missing > 0
        assert viewing.fetcher.continues
        assert sum(loss.segments for loss in viewing.losses) == missing

    def test_goes_on_behind_what_an_earlier_process_kept(self, viewing, origin):
        origin.window = 100
        viewing.begin().until_kept(origin.newest + 3).stop()
        origin.wait_for(origin.newest + 5)
        viewing.begin().until_kept(origin.newest + 2).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.losses == []

    def test_loses_nothing_while_the_manifest_fails(self, viewing, origin):
        origin.window = 100
        viewing.begin().until_kept(origin.newest + 2)
        origin.status = 503
        origin.wait_for(origin.newest + 6)
        assert viewing.fetcher.hindrance is not None
        origin.status = 200
        viewing.until_kept(origin.newest + 2).to_the_end()
        assert without_a_hole(viewing.numbers)

    @pytest.mark.parametrize(
        "lacking",
        [
            r"<S .*?/>",
            r"<Period.*</Period>",
            r'duration="200"|<SegmentTimeline.*</SegmentTimeline>',
            r"</SegmentTemplate>.*|</Representation>.*",
            r".+",
        ],
        ids=["no segments", "no period", "no lengths", "half of it", "nothing"],
    )
    def test_loses_nothing_while_the_manifest_tells_less(self, viewing, origin, lacking):
        origin.window = 100
        viewing.begin().until_kept(origin.newest + 1)
        origin.mangled = lambda text: re.sub(lacking, "", text, flags=re.DOTALL)
        origin.wait_for(origin.newest + 4)
        origin.mangled = lambda text: text
        viewing.until_kept(origin.newest + 1).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.losses == []

    def test_asks_for_a_new_address_when_it_is_refused_and_goes_on_there(self, viewing, origin):
        origin.window = 100
        viewing.begin().until_kept(origin.newest + 2)
        origin.status = 403
        viewing.until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "refused"
        viewing.stop()
        origin.status = 200
        viewing.begin().until_kept(origin.newest + 2).to_the_end()
        assert without_a_hole(viewing.numbers)

    def test_gives_a_refused_segment_up_after_a_second_refusal(self, viewing, origin):
        origin.window = 100
        refused = origin.newest + 3
        origin.refused = {refused}
        viewing.begin().until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "refused"
        viewing.stop().begin().until_kept(refused + 3).to_the_end()
        assert refused not in viewing.numbers
        assert viewing.numbers == sorted(set(viewing.numbers))

    def test_goes_on_when_the_encoder_begins_anew(self, viewing, origin):
        viewing.begin().until_kept(origin.newest + 3)
        before = len(viewing.numbers)
        origin.began = time.time() - EACH  # numbers and times from zero, another clock
        viewing.until_kept(8).to_the_end()
        assert without_a_hole(viewing.numbers[before + 3 :])
        assert len(viewing.numbers) == len(set(viewing.numbers))

    def test_calls_nothing_lost_that_was_never_there(self, viewing, origin):
        viewing.begin().until_kept(origin.newest + 2)
        origin.end(as_film=False)
        # Where numbers tell them, the manifest goes on to promise segments.
        viewing.until(lambda: viewing.fetcher.hindrance is not None or origin.way == "times")
        viewing.stop()
        assert viewing.losses == []

    def test_stops_at_once(self, viewing, origin):
        viewing.begin().until_kept(origin.newest + 1).stop()
        assert viewing.fetcher.end is not None
