"""DASH as packagers serve it: segments by number, by time and in lists, in any container."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from chronicle_contracts.recorder import RecordingEnded, RecordingStarted

from services.recorder.tests.varieties.media import H264, SECONDS
from services.recorder.tests.varieties.recorded import Comparison, compare

WANTED = 6  # seconds of a live source, which come as slowly as they pass
UP = 4  # seconds for which a live source is on air when a recorder comes
EVERYTHING = 1000  # segments: none is taken away, however late a recorder comes


def _presentation(station, media, folder, *arguments):
    made = media.as_(
        *(*arguments, "-c", "copy", "-f", "dash", "-seg_duration", "1"), name=f"{folder}.mpd"
    )
    for path in made.parent.iterdir():
        station.files[f"/{folder}/{path.name}"] = path.read_bytes()
    return made.read_text()


def dash_film(station, media, other):
    _presentation(station, media, "dashfilm")
    return f"{station.url}/dashfilm/dashfilm.mpd", {}


def _live_dash(
    station, media, folder, timeline, *, up=UP, window=8, ends=False, arguments=(), began_at=None
):
    """The presentation on air; `window` is the number of segments that are listed, or offered."""
    whole = _presentation(station, media, folder, "-use_timeline", str(timeline), *arguments)
    film = whole
    whole = re.sub(r'mediaPresentationDuration="[^"]*"', "", whole)
    looks = itertools.count(1)
    began = [began_at]

    def page():
        now = datetime.now(UTC)
        # The first look is yt-dlp's; on a slow machine seconds pass until a fetcher looks.
        if began_at is None and next(looks) <= 2:
            began[0] = now - timedelta(seconds=up)
        passed = int((now - began[0]).total_seconds())
        if ends and passed > SECONDS:
            return film  # with all that there ever was
        head = (
            f'type="dynamic" availabilityStartTime="{began[0]:%Y-%m-%dT%H:%M:%S.%fZ}" '
            f'minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT{2 * window}S" '
            f'publishTime="{now:%Y-%m-%dT%H:%M:%SZ}"'
        )
        text = whole.replace('type="static"', head)
        return _window_of(text, passed, window) if timeline else text

    path = f"/{folder}/live.mpd"
    station.pages[path] = page
    return f"{station.url}{path}", {} if ends else {"CHRONICLE_MAX_DURATION": str(WANTED)}


def _window_of(manifest: str, count: int, window: int) -> str:
    """Leave the newest of the first `count` segments, as a packager of live streams does."""
    first = max(0, count - window)

    def shortened(found: re.Match[str]) -> str:
        lengths: list[int] = []
        for length, repeats in re.findall(r'<S [^>]*?d="(\d+)"(?: r="(\d+)")?', found[0]):
            lengths += [int(length)] * (1 + int(repeats or 0))
        kept = "".join(f'<S d="{length}"/>' for length in lengths[first:count])
        kept = kept.replace("<S ", f'<S t="{sum(lengths[:first])}" ', 1)
        return f"<SegmentTimeline>{kept}</SegmentTimeline>"

    manifest = manifest.replace('startNumber="1"', f'startNumber="{1 + first}"')
    return re.sub(r"<SegmentTimeline>.*?</SegmentTimeline>", shortened, manifest, flags=re.DOTALL)


def dash_numbers(station, media, other):
    return _live_dash(station, media, "numbers", 0)


def dash_times(station, media, other):
    return _live_dash(station, media, "times", 1)


def dash_ended(station, media, other):
    """A live one that becomes a film when it is over."""
    return _live_dash(station, media, "ended", 1, up=12, ends=True)


def dash_from_start(station, media, other):
    url, env = _live_dash(station, media, "fromstart", 0, up=9, window=EVERYTHING)
    return url, {**env, "CHRONICLE_LIVE_FROM_START": "true"}


def dash_caught_up(station, media, other):
    began = datetime.now(UTC) - timedelta(seconds=14)
    url, env = _live_dash(station, media, "caughtup", 1, window=EVERYTHING, began_at=began)
    since = began + timedelta(seconds=8)
    return url, {**env, "CHRONICLE_CATCH_UP": since.isoformat()}


def dash_one_file(station, media, other):
    """A list of ranges of one file for each track."""
    _presentation(station, media, "onefile", "-single_file", "1")
    return f"{station.url}/onefile/onefile.mpd", {}


def dash_whole_files(station, media, other):
    """On demand: one file for each track, of which only the beginning is told."""
    sets = []
    for kind, mime, codecs, left_out, size in (
        ("v", "video/mp4", "avc1.64000b", "-an", 'width="160" height="90"'),
        ("a", "audio/mp4", "mp4a.40.2", "-vn", ""),
    ):
        flags = "+dash+frag_keyframe+empty_moov+default_base_moof"
        made = media.as_(left_out, "-c", "copy", "-movflags", flags, name=f"whole-{kind}.mp4")
        data = made.read_bytes()
        station.files[f"/wholefiles/{kind}.mp4"] = data
        head = data.index(b"moof") - 5
        sets.append(
            f'<AdaptationSet mimeType="{mime}"><Representation id="{kind}" bandwidth="100000" '
            f'codecs="{codecs}" {size}>'
            f"<BaseURL>{kind}.mp4</BaseURL><SegmentBase><Initialization range="
            f'"0-{head}"/></SegmentBase></Representation></AdaptationSet>'
        )
    text = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration='
        f'"PT{SECONDS}S" profiles="p" minBufferTime="PT1S"><Period>{"".join(sets)}</Period></MPD>'
    )
    station.pages["/wholefiles/film.mpd"] = lambda: text
    return f"{station.url}/wholefiles/film.mpd", {}


def dash_periods(station, media, other):
    """Two periods, each with a time of its own: an advertisement before a programme."""
    periods = []
    for number, (one, name) in enumerate(((media, "first"), (other, "second"))):
        text = _presentation(station, one, f"periods{name}")
        period = re.search(r"<Period.*</Period>", text, re.DOTALL)
        assert period is not None
        begin = f'<Period id="{name}" start="PT{number * SECONDS}S" duration="PT{SECONDS}S">'
        periods.append(
            re.sub(
                r"<Period[^>]*>",
                f"{begin}<BaseURL>{station.url}/periods{name}/</BaseURL>",
                period[0],
                count=1,
            )
        )
    text = re.sub(r"<Period.*</Period>", "\n".join(periods), text, flags=re.DOTALL)
    text = re.sub(r'Duration="[^"]*"', f'Duration="PT{2 * SECONDS}S"', text, count=1)
    station.pages["/periods/film.mpd"] = lambda: text
    return f"{station.url}/periods/film.mpd", {}


VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "150k")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-b:v", "150k")
OPUS = ("-c:a", "libopus", "-b:a", "48k")


def in_codecs(media, name):
    """The media in other codecs, as one file."""
    video = {"vp9": VP9, "av1": AV1, "avc": H264}[name]
    made = media.as_(*video, *OPUS, name=f"{name}.mkv")
    return type(media)(made)


def dash_webm(station, media, other):
    given = in_codecs(media, "vp9")
    return _live_dash(station, given, "webm", 1, arguments=("-dash_segment_type", "webm"))


def dash_av1(station, media, other):
    return _live_dash(station, in_codecs(media, "av1"), "av1", 0)


def dash_opus(station, media, other):
    return _live_dash(station, in_codecs(media, "avc"), "opus", 1)


def _sizes(station, media, other, folder):
    """The smaller picture is listed first."""
    _presentation(
        station, media, folder, "-i", str(other.path), "-map", "0:v", "-map", "1:v", "-map", "0:a"
    )
    return f"{station.url}/{folder}/{folder}.mpd"


def dash_best(station, media, other):
    return _sizes(station, media, other, "sizes"), {}


def dash_limited(station, media, other):
    return _sizes(station, media, other, "limited"), {"CHRONICLE_QUALITY": "90p"}


SOURCES = {
    one.__name__: one
    for one in (
        *(dash_ended, dash_numbers, dash_times, dash_film, dash_best, dash_limited),
        *(dash_from_start, dash_caught_up, dash_one_file, dash_whole_files, dash_periods),
        *(dash_webm, dash_av1, dash_opus),
    )
}


class TestDash:
    @pytest.mark.parametrize(
        ("name", "at_the_cut"),
        [
            *(("dash_film", 0), ("dash_numbers", 3), ("dash_times", 3)),
            *(
                ("dash_one_file", 0),
                ("dash_whole_files", 0),
                ("dash_ended", 0),
                ("dash_from_start", 3),
            ),
            ("dash_caught_up", 3),
        ],
    )
    def test_is_recorded_without_a_gap_and_in_sync(self, recorded, media, name, at_the_cut):
        result = recorded(name)
        assert result.shape == ("h264", "aac"), result.log
        assert result.complaints() == ""
        picture, sound = compare(result.path, media.path)
        # Where a live one is cut off, a picture may be missing that came after its neighbours.
        assert picture.without_last(at_the_cut).is_gapless
        assert sound.is_gapless
        assert abs(picture.shift - sound.shift) < 0.1

    def test_of_a_film_is_whole_and_ends_by_itself(self, recorded):
        [ended] = recorded("dash_film").facts(RecordingEnded)
        assert ended.why == "ended"
        # The first picture of this packager is shown 0.08 s after its sound begins.
        assert recorded("dash_film").seconds == pytest.approx(SECONDS, abs=0.2)

    def test_is_recorded_in_the_best_size_or_the_one_that_is_asked_for(self, recorded):
        [best] = recorded("dash_best").facts(RecordingStarted)
        [limited] = recorded("dash_limited").facts(RecordingStarted)
        assert (best.media.height, limited.media.height) == (180, 90)

    @pytest.mark.parametrize("name", ["dash_webm", "dash_av1", "dash_opus"])
    def test_is_recorded_in_codecs_that_no_transport_stream_holds(self, recorded, media, name):
        result = recorded(name)
        codec = {"dash_webm": "vp9", "dash_av1": "av1", "dash_opus": "avc"}[name]
        shown = {"avc": "h264"}.get(codec, codec)
        assert result.shape == (shown, "opus"), result.log
        assert result.complaints() == ""
        picture, sound = compare(result.path, in_codecs(media, codec).path)
        assert picture.without_last(3).is_gapless
        assert sound.is_gapless
        assert abs(picture.shift - sound.shift) < 0.1

    def test_that_becomes_a_film_ends_with_its_last_segment(self, recorded, media):
        [ended] = recorded("dash_ended").facts(RecordingEnded)
        assert ended.why == "ended", recorded("dash_ended").log
        picture, _ = compare(recorded("dash_ended").path, media.path)
        assert picture.numbers[-1] == SECONDS * 25 - 1

    def test_is_recorded_from_the_first_segment_that_is_offered(self, recorded, media):
        picture, _ = compare(recorded("dash_from_start").path, media.path)
        assert picture.numbers[0] == 0

    def test_is_caught_up_with_from_a_moment_on(self, recorded, media):
        picture, _ = compare(recorded("dash_caught_up").path, media.path)
        assert picture.numbers[0] == 8 * 25

    def test_goes_on_in_the_next_period_and_loses_nothing(self, recorded, media, other):
        result = recorded("dash_periods")
        assert result.complaints() == "", result.log
        assert result.seconds == pytest.approx(2 * SECONDS, abs=0.3)
        pictures = Comparison.of(result.path, media.path, "v").numbers
        assert pictures[: SECONDS * 25] == list(range(SECONDS * 25))
        for half in (media, other):
            sound = Comparison.of(result.path, half.path, "a").numbers
            known = [number for number in sound if number is not None]
            assert known == list(range(len(known)))
            assert len(known) * 1024 / 48000 == pytest.approx(SECONDS, abs=0.1)
