"""Fetching live HLS from a real origin, whatever the origin does."""

import hashlib
import threading
import time

import pytest
from recorder.adapters.fetching.access import Access
from recorder.adapters.fetching.hls import fetcher as hls
from recorder.adapters.fetching.hls.fetcher import HlsFetcher
from recorder.adapters.fetching.position import Positions
from recorder.domain.segment import DateRange, Segment

from services.recorder.tests.origin import HLS


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self):
        self.data = bytearray()
        self.is_finished = threading.Event()

    def write(self, data):
        self.data += data

    def begin_section(self, section, *, is_break):
        pass

    def begin_anew(self):
        pass

    def finish(self):
        self.is_finished.set()

    def numbers(self, segments):
        """The numbers of the segments, in the order in which they came, as often as they came."""
        found = []
        for number, segment in enumerate(segments):
            at = self.data.find(segment)
            while at >= 0:
                found.append((at, number))
                at = self.data.find(segment, at + 1)
        return [number for _, number in sorted(found)]


class Noted:
    """A ledger that keeps what it is told."""

    def __init__(self):
        self.segments: list[Segment] = []
        self.date_ranges: list[DateRange] = []

    def keep(self, segment):
        self.segments.append(segment)

    def tell(self, date_range):
        self.date_ranges.append(date_range)


class Viewing:
    """Fetchers of one origin, one after the other, with what must outlive them."""

    fetcher: HlsFetcher

    def __init__(self, origin):
        self.origin = origin
        self.sink = Kept()
        self.noted = Noted()
        self.since: float | None = None
        self.positions = Positions()
        self.refused = set()
        self.losses = []

    def begin(self, *, allow_private=True):
        self.fetcher = HlsFetcher(
            self.origin.url(),
            self.sink,
            access=Access(allow_private=allow_private),
            ledger=self.noted,
            positions=self.positions,
            track=0,
            refused_before=self.refused,
            since=self.since,
        )
        self.fetcher.start()
        return self

    def until(self, condition, *, within=60.0):
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, "it did not come to that in time"
            time.sleep(0.02)
        return self

    def until_kept(self, number):
        segment = self.origin.tracks["live"][number]
        return self.until(lambda: segment in self.sink.data)

    def to_the_end(self):
        self.origin.end()
        self.until(lambda: self.fetcher.end is not None)
        end = self.fetcher.end
        assert end is not None
        assert end.kind == "ended"
        return self.stop()

    def stop(self):
        self.fetcher.close()
        self.losses += self.fetcher.take_losses()
        return self

    @property
    def numbers(self):
        return self.sink.numbers(self.origin.tracks["live"])

    @property
    def lost_seconds(self):
        return sum(loss.seconds for loss in self.losses)


@pytest.fixture
def viewing(origin):
    opened = Viewing(origin)
    yield opened
    opened.fetcher.close()


def without_a_hole(numbers):
    return numbers == list(range(numbers[0], numbers[-1] + 1))


class TestHlsFetcher:
    def test_takes_every_segment_once_until_the_end_mark(self, viewing, origin):
        viewing.begin().until_kept(8).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.numbers[-1] == origin.newest
        assert viewing.sink.is_finished.is_set()
        assert viewing.losses == []

    def test_hears_of_every_end_when_it_comes(self, viewing, origin, monkeypatch):
        monkeypatch.setattr(hls, "LOOK_EVERY", 3600.0)
        origin.refused = {7}
        viewing.begin().until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "refused"
        viewing.stop().begin().until_kept(8).to_the_end()
        viewing.begin(allow_private=False).until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "broken"

    def test_notes_every_segment_as_it_was_served(self, viewing, origin):
        viewing.begin().until_kept(8).to_the_end()
        served = origin.tracks["live"]
        noted = viewing.noted.segments
        assert [one.sequence for one in noted] == viewing.numbers
        for one in noted:
            body = served[one.sequence]
            assert (one.size, one.sha256) == (len(body), hashlib.sha256(body).hexdigest())
            assert one.programme_time == origin.made_at(one.sequence)

    def test_tells_what_the_source_says_of_its_programme(self, viewing):
        viewing.begin().until_kept(5).to_the_end()
        told = viewing.noted.date_ranges[0]
        assert (told.id, told.kind, told.planned_seconds) == ("ad-1", "com.example.ad", 30.0)
        assert told.attributes == {"SCTE35-OUT": "0xFC30", "X-AD-ID": "7"}

    def test_begins_with_the_first_that_is_offered_where_that_is_asked_for(self, viewing, origin):
        origin.wait_for(3)
        viewing.since = 0.0
        viewing.begin().until_kept(5).to_the_end()
        assert viewing.numbers[0] == 0

    def test_catches_up_from_a_moment_on(self, viewing, origin):
        viewing.since = time.time() - 3.5  # seconds of media, of the four that are offered
        viewing.begin().until_kept(6).to_the_end()
        assert viewing.numbers[0] == 0
        assert without_a_hole(viewing.numbers)

    def test_fetches_all_of_what_has_ended_whenever_media_was_wanted(self, viewing, origin):
        origin.end()
        viewing.since = time.time() - 1.5
        viewing.begin().until(lambda: viewing.fetcher.end is not None)
        assert viewing.numbers[0] == 0
        assert without_a_hole(viewing.numbers)

    def test_loses_nothing_while_connections_are_refused(self, viewing, origin):
        origin.window = 100
        viewing.begin().until_kept(5)
        origin.refuse_connections()
        origin.wait_for(origin.newest + 8)
        origin.listen_again()
        viewing.until_kept(origin.newest + 1).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.losses == []

    def test_loses_nothing_while_the_playlist_fails(self, viewing, origin):
        origin.window = 100
        viewing.begin().until_kept(5)
        origin.playlist_status = 503
        origin.wait_for(origin.newest + 8)
        origin.playlist_status = 200
        viewing.until_kept(origin.newest + 1).to_the_end()
        assert without_a_hole(viewing.numbers)

    @pytest.mark.parametrize(
        "text",
        ["", "#EXTM3U\n", "#EXTM3U\n#EXT-X-TARGETDU", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"],
        ids=["nothing", "one line", "half a line", "no segments"],
    )
    def test_loses_nothing_while_the_playlist_tells_less(self, viewing, origin, text):
        origin.window = 100
        viewing.begin().until_kept(5)
        origin.pages["/live.m3u8"] = (200, HLS, text)
        origin.wait_for(origin.newest + 8)
        origin.pages.clear()
        viewing.until_kept(origin.newest + 1).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.losses == []

    def test_goes_on_when_the_source_counts_anew(self, viewing, origin):
        viewing.begin().until_kept(6)
        origin.restart()
        viewing.until_kept(origin.newest + 6).to_the_end()
        numbers = viewing.numbers
        assert numbers == sorted(set(numbers)), "nothing twice, nothing out of order"
        assert len(range(numbers[0], numbers[-1] + 1)) - len(numbers) <= 3
        assert origin.restarted_at in numbers

    def test_tells_which_segments_it_could_not_get(self, viewing, origin):
        origin.missing = {7, 8}
        viewing.begin().until_kept(10).to_the_end()
        assert [n for n in range(5, 11) if n not in viewing.numbers] == [7, 8]
        assert viewing.lost_seconds == pytest.approx(2.0)

    def test_tells_what_left_the_playlist_before_it_came_back(self, viewing, origin):
        viewing.begin().until_kept(5)
        origin.window = 16
        origin.playlist_status = 503
        origin.wait_for(origin.newest + 22)
        origin.playlist_status = 200
        viewing.until_kept(origin.newest).to_the_end()
        numbers = viewing.numbers
        missing = len(range(numbers[0], numbers[-1] + 1)) - len(numbers)
        assert missing > 0
        assert viewing.lost_seconds == pytest.approx(missing)

    def test_asks_for_a_new_address_when_it_is_refused_and_goes_on_there(self, viewing, origin):
        viewing.begin().until_kept(5)
        origin.playlist_status = 403
        viewing.until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "refused"
        viewing.stop()
        origin.playlist_status = 200
        viewing.begin().until_kept(12).to_the_end()
        assert without_a_hole(viewing.numbers)

    def test_gives_a_refused_segment_up_after_a_second_refusal(self, viewing, origin):
        origin.refused = {7}
        viewing.begin().until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "refused"
        viewing.stop().begin().until_kept(10).to_the_end()
        assert [n for n in range(5, 11) if n not in viewing.numbers] == [7]
        assert viewing.numbers == sorted(set(viewing.numbers))

    def test_begins_after_the_segment_that_an_earlier_process_kept(self, viewing, origin):
        viewing.begin().until_kept(6).stop()
        origin.wait_for(origin.newest + 3)
        viewing.begin().until_kept(14).to_the_end()
        assert without_a_hole(viewing.numbers)
        assert viewing.fetcher.continues

    def test_stops_within_seconds_while_the_source_is_mute(self, viewing, origin):
        viewing.begin().until_kept(5)
        origin.is_mute = True
        before = time.monotonic()
        viewing.stop()
        assert time.monotonic() - before < 15
        assert viewing.fetcher.end is not None

    def test_fetches_nothing_from_private_addresses_unless_they_are_allowed(self, viewing):
        viewing.begin(allow_private=False)
        viewing.until(lambda: viewing.fetcher.end is not None)
        assert viewing.fetcher.end.kind == "broken"
        assert "not public" in viewing.fetcher.end.detail
        assert not viewing.sink.data
