"""Which segments a DASH manifest tells of."""

import itertools
from datetime import UTC, datetime

import pytest
from recorder.adapters.fetching.dash.manifest import UnreadableManifest, filled, read
from recorder.adapters.fetching.dash.model import Wanted, chosen
from recorder.adapters.fetching.dash.segments import available, newest_end

URL = "https://h/a/live.mpd"
STARTS = "2026-11-21T10:00:00Z"
BEGAN = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()
VIDEO = Wanted("video")


def manifest(inner, *, live=False, head="", periods=None, mime="video/mp4"):
    kind = f'type="dynamic" availabilityStartTime="{STARTS}"' if live else 'type="static"'
    body = periods or (
        f'<Period><AdaptationSet mimeType="{mime}"><Representation id="v" bandwidth="1" '
        f'height="90">{inner}</Representation></AdaptationSet></Period>'
    )
    text = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {kind} {head}>{body}</MPD>'
    return read(text.encode(), URL)


def told(presentation, *, after=float("-inf"), now=BEGAN, starts_at=None, most=100):
    starts = starts_at if starts_at is not None else presentation.starts_at or 0.0
    found = available(presentation, VIDEO, starts, after=after, now=now)
    return list(itertools.islice(found, most))


def urls(segments):
    return [one.part.url.removeprefix("https://h/a/") for one in segments]


NUMBERS = (
    '<SegmentTemplate media="$Number%03d$.m4s" initialization="i.mp4" duration="20" '
    'timescale="10" startNumber="5"/>'
)


class TestFilm:
    def test_by_numbers_ends_with_a_short_segment(self):
        found = told(manifest(NUMBERS, head='mediaPresentationDuration="PT5S"'))
        assert urls(found) == ["005.m4s", "006.m4s", "007.m4s"]
        assert [one.begins for one in found] == [0, 2, 4]
        assert found[0].initial is not None
        assert found[0].initial.url == "https://h/a/i.mp4"

    def test_by_times_repeats_and_jumps(self):
        inner = (
            '<SegmentTemplate media="$Time$" timescale="10" presentationTimeOffset="100">'
            '<SegmentTimeline><S t="100" d="20" r="1"/><S d="15"/><S t="200" d="10"/>'
            "</SegmentTimeline></SegmentTemplate>"
        )
        found = told(manifest(inner))
        assert urls(found) == ["100", "120", "140", "200"]
        assert [(one.begins, one.seconds) for one in found] == [(0, 2), (2, 2), (4, 1.5), (10, 1)]
        assert found[0].shift == -10

    def test_repeats_to_the_end_of_its_period(self):
        inner = (
            '<SegmentTemplate media="$Time$" timescale="1"><SegmentTimeline><S t="0" d="2" r="-1"/>'
            "</SegmentTimeline></SegmentTemplate>"
        )
        found = told(manifest(inner, head='mediaPresentationDuration="PT7S"'))
        assert urls(found) == ["0", "2", "4", "6"]

    def test_by_a_list_of_ranges(self):
        inner = (
            '<BaseURL>all.mp4</BaseURL><SegmentList duration="2"><Initialization range="0-99"/>'
            '<SegmentURL mediaRange="100-199"/><SegmentURL mediaRange="200-299"/></SegmentList>'
        )
        found = told(manifest(inner, head='mediaPresentationDuration="PT4S"'))
        assert [one.part.byte_range for one in found] == [(100, 199), (200, 299)]
        assert {one.part.url for one in found} == {"https://h/a/all.mp4"}

    def test_in_one_file(self):
        inner = (
            "<BaseURL>all.mp4</BaseURL><SegmentBase indexRange='100-199'>"
            '<Initialization range="0-99"/></SegmentBase>'
        )
        [whole] = told(manifest(inner, head='mediaPresentationDuration="PT4S"'))
        assert whole.is_whole
        assert whole.initial is not None
        assert whole.initial.byte_range == (0, 99)

    def test_inherits_what_is_said_further_out(self):
        periods = (
            '<BaseURL>b/</BaseURL><Period duration="PT4S"><SegmentTemplate timescale="10" '
            'startNumber="3"/><AdaptationSet mimeType="video/mp4"><SegmentTemplate duration="20"/>'
            '<Representation id="v" bandwidth="7"><BaseURL>c/</BaseURL><SegmentTemplate '
            'media="$RepresentationID$-$Bandwidth$-$Number$"/></Representation></AdaptationSet>'
            "</Period>"
        )
        assert urls(told(manifest("", periods=periods))) == ["b/c/v-7-3", "b/c/v-7-4"]

    def test_without_an_end_is_refused(self):
        with pytest.raises(UnreadableManifest, match="no end"):
            told(manifest(NUMBERS))


class TestLive:
    def test_offers_what_is_complete_within_its_window(self):
        shown = manifest(NUMBERS, live=True, head='timeShiftBufferDepth="PT6S"')
        # A segment is there for its own length longer: ISO/IEC 23009-1, A.3.2.
        assert urls(told(shown, now=BEGAN + 11)) == ["006.m4s", "007.m4s", "008.m4s", "009.m4s"]
        assert newest_end(shown, VIDEO, BEGAN, BEGAN + 11) == BEGAN + 10

    def test_goes_on_behind_what_was_kept(self):
        shown = manifest(NUMBERS, live=True)
        assert urls(told(shown, after=BEGAN + 4.001, now=BEGAN + 9)) == ["007.m4s", "008.m4s"]

    def test_is_early_where_it_says_so(self):
        early = NUMBERS.replace("/>", ' availabilityTimeOffset="1.5"/>')
        shown = manifest(early, live=True)
        assert urls(told(shown, now=BEGAN + 0.6)) == ["005.m4s"]

    def test_steps_over_millions_of_segments_at_once(self):
        inner = (
            '<SegmentTemplate media="$Time$" timescale="1"><SegmentTimeline>'
            '<S t="0" d="1" r="999999999"/></SegmentTimeline></SegmentTemplate>'
        )
        shown = manifest(inner, live=True)
        found = told(shown, after=BEGAN + 999_999_998, now=BEGAN + 10**9)
        assert urls(found) == ["999999998", "999999999"]

    @pytest.mark.parametrize("after", [0.0, float("-inf")])
    def test_goes_from_one_period_to_the_next(self, after):
        one = (
            '<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1">{}'
            "</Representation></AdaptationSet>"
        )
        first = one.format('<SegmentTemplate media="a$Number$" duration="2"/>')
        second = one.format('<SegmentTemplate media="b$Number$" duration="2"/>')
        shown = manifest(
            "",
            live=True,
            periods=f'<Period id="a" start="PT0S">{first}</Period>'
            f'<Period id="b" start="PT4S">{second}</Period><Period id="c">{second}</Period>',
        )
        assert urls(told(shown, after=after, now=BEGAN + 9)) == ["a1", "a2", "b1", "b2"]

    @pytest.mark.parametrize(
        "inner",
        [
            '<SegmentTemplate media="$Time$"><SegmentTimeline/></SegmentTemplate>',
            '<SegmentTemplate media="$Number$"><SegmentTimeline/></SegmentTemplate>',
            '<SegmentList duration="2"/>',
            "<SegmentList/>",
        ],
    )
    def test_may_have_no_segments_for_a_moment(self, inner):
        shown = manifest(inner, live=True)
        assert told(shown, now=BEGAN + 60) == []
        assert newest_end(shown, VIDEO, BEGAN, BEGAN + 60) is None

    def test_without_lengths_of_segments_is_refused(self):
        with pytest.raises(UnreadableManifest, match="no lengths"):
            manifest('<SegmentTemplate media="$Number$"/>', live=True)


class TestChosen:
    SETS = (
        '<Period duration="PT4S"><AdaptationSet mimeType="video/mp4">'
        '<EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode"/>'
        '<Representation id="t" bandwidth="9" height="2000"/></AdaptationSet>'
        '<AdaptationSet contentType="video"><Representation id="1" bandwidth="1" height="180"/>'
        '<Representation id="11" bandwidth="2" height="360"/></AdaptationSet>'
        '<AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="3"/></AdaptationSet>'
        '<AdaptationSet mimeType="audio/mp4"><Role value="main"/><Representation id="b" '
        'bandwidth="1"/></AdaptationSet></Period>'
    )

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (Wanted("video"), "11"),
            (Wanted("video", "dash-1"), "1"),
            (Wanted("video", "x-11"), "11"),
            (Wanted("video", None, 200), "1"),
            (Wanted("video", None, 90), "1"),
            (Wanted("audio"), "b"),
            (Wanted("any", "dash-a"), "a"),
            (Wanted("any"), "11"),
        ],
    )
    def test_is_what_was_asked_for_or_the_best(self, wanted, expected):
        [period] = manifest("", periods=self.SETS).periods
        found = chosen(period, wanted)
        assert found is not None
        assert found.id == expected


class TestRead:
    @pytest.mark.parametrize(
        "text",
        [
            b"<MPD",
            b"",
            b"#EXTM3U",
            b"<html/>",
            b'<MPD availabilityStartTime="soon"/>',
            b'<MPD><Period><AdaptationSet mimeType="video/mp4"><Representation><SegmentTemplate '
            b'timescale="0"/></Representation></AdaptationSet></Period></MPD>',
            b'<MPD><Period><AdaptationSet mimeType="video/mp4"><Representation><SegmentTemplate>'
            b'<SegmentTimeline><S d="0"/></SegmentTimeline></SegmentTemplate></Representation>'
            b"</AdaptationSet></Period></MPD>",
            b'<MPD><Period><AdaptationSet mimeType="video/mp4"><Representation height="'
            + b"9" * 100
            + b'"/></AdaptationSet></Period></MPD>',
        ],
    )
    def test_refuses_what_it_cannot_read(self, text):
        with pytest.raises(UnreadableManifest):
            read(text, URL)


class TestFilled:
    def test_knows_widths_dollars_and_strangers(self):
        values: dict[str, str | int] = {"Number": 7, "Time": 90}
        assert filled("$Number%05d$-$Time$-$$-$SubNumber$", values) == "00007-90-$-$SubNumber$"
