"""What fetchers give becomes files, in whatever order it comes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from recorder.adapters.feeding.feed import ONLY_ONE, Feed
from recorder.adapters.feeding.remuxer import Remuxer
from recorder.adapters.feeding.remuxer_lock import RemuxerLock
from recorder.adapters.fetching.fetcher import SinkClosed
from recorder.adapters.media.section import Section

from services.recorder.tests.process import ffmpeg, probed

SECONDS = 4
EMPTY_BOX = b"\0\0\0\x08free"
FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof"


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Picture and sound of a source, each a section and what stands on it."""
    folder = tmp_path_factory.mktemp("tracks")
    made = []
    for source, codec in (
        ("testsrc2=size=160x90:rate=25", ("libx264", "-g", "25")),
        ("anoisesrc=sample_rate=48000", ("aac",)),
    ):
        path = folder / f"{codec[0]}.mp4"
        ffmpeg().run(
            [
                *("-loglevel", "error", "-f", "lavfi", "-i", source, "-t", str(SECONDS)),
                *("-c", *codec, "-movflags", FRAGMENTED, str(path)),
            ]
        )
        data = path.read_bytes()
        head = data.index(b"moof") - 4
        made.append((Section(data[:head]), data[head:]))
    return made


@pytest.fixture
def feed(tmp_path):
    lock = RemuxerLock(tmp_path)
    names = map(str, itertools.count(1))

    def begin(inputs):
        return Remuxer(ffmpeg(), tmp_path / f"{next(names)}.mkv", inputs, lock)

    opened = Feed(2, begin)
    yield opened
    opened.close()


class TestFeed:
    @pytest.mark.parametrize("first", [0, 1])
    def test_keeps_all_of_a_source_that_falls_silent(self, feed, tracks, tmp_path, first):
        for track in (first, 1 - first):
            section, media = tracks[track]
            feed.begin_section(track, section, is_break=False)
            feed.write(track, media)
        feed.close()
        seconds, *codecs = probed(tmp_path / "1.mkv")
        assert codecs == ["h264", "aac"]
        assert seconds == pytest.approx(SECONDS, abs=0.1)

    def test_tells_of_media_before_more_of_it_comes(self, feed, tracks):
        for track in (0, 1):
            section, media = tracks[track]
            feed.begin_section(track, section, is_break=False)
            feed.write(track, media)
        seen = threading.Event()
        for _ in range(600):
            if feed.media_seconds > 0:
                break
            seen.wait(0.05)
        assert feed.media_seconds > 0


def _give(feed, track, section, media, *, is_break):
    feed.begin_section(track, section, is_break=is_break)
    feed.write(track, media)


class TestASectionAfterTheFirst:
    """Of one track, before anything of the other is there: a film's small files are had at once."""

    @pytest.mark.parametrize("first", [0, 1])
    def test_stands_in_a_file_of_its_own(self, feed, tracks, tmp_path, first):
        with ThreadPoolExecutor(2) as threads:

            def begin(track):
                section, media = tracks[track]
                _give(feed, track, section, media, is_break=False)
                after = Section(section.head, begins_at=0.0)  # another one of the same kind
                return threads.submit(_give, feed, track, after, media, is_break=True)

            ahead = begin(first)
            assert wait([ahead], 0.5).not_done
            behind = begin(1 - first)
            ahead.result(10)
            behind.result(10)
        feed.close()
        for name in ("1.mkv", "2.mkv"):
            seconds, *codecs = probed(tmp_path / name)
            assert codecs == ["h264", "aac"]
            assert seconds == pytest.approx(SECONDS, abs=0.1)

    def test_is_taken_after_a_track_that_was_whole_before_the_other_came(
        self, feed, tracks, tmp_path
    ):
        _give(feed, 1, *tracks[1], is_break=False)
        feed.finish(1)
        _give(feed, 0, *tracks[0], is_break=False)
        feed.begin_anew()
        for track, (section, media) in enumerate(tracks):
            _give(feed, track, Section(section.head + EMPTY_BOX), media, is_break=False)
        feed.close()
        for name in ("1.mkv", "2.mkv"):
            seconds, *codecs = probed(tmp_path / name)
            assert codecs == ["h264", "aac"]
            assert seconds == pytest.approx(SECONDS, abs=0.1)

    def test_is_refused_where_the_other_track_was_empty(self, feed, tracks):
        section, media = tracks[1]
        _give(feed, 1, section, media, is_break=False)
        feed.finish(0)
        with pytest.raises(SinkClosed):
            feed.begin_section(1, Section(section.head, begins_at=0.0), is_break=True)
        assert feed.unusable == ONLY_ONE

    @pytest.mark.parametrize("end", ["begin_anew", "close"])
    def test_does_not_keep_a_fetcher_that_nobody_listens_to(self, feed, tracks, end):
        section, media = tracks[1]
        _give(feed, 1, section, media, is_break=False)
        with ThreadPoolExecutor(1) as threads:
            after = Section(section.head, begins_at=0.0)
            waits = threads.submit(feed.begin_section, 1, after, is_break=True)
            while not wait([waits], 0.1).done:  # it may not have begun to wait
                getattr(feed, end)()
            with pytest.raises(SinkClosed):
                waits.result(10)


class TestATrackThatIsFarAhead:
    def test_is_held_up_and_loses_nothing(self, feed, tracks, tmp_path, monkeypatch):
        monkeypatch.setattr("recorder.adapters.feeding.feed.LONGEST_HEAD", 1000)
        [(_, pictures), _] = tracks
        with ThreadPoolExecutor(1) as threads:
            ahead = threads.submit(_give, feed, 0, *tracks[0], is_break=False)
            assert len(pictures) > 1000
            assert wait([ahead], 0.5).not_done
            _give(feed, 1, *tracks[1], is_break=False)
            ahead.result(10)
        feed.close()
        seconds, *codecs = probed(tmp_path / "1.mkv")
        assert codecs == ["h264", "aac"]
        assert seconds == pytest.approx(SECONDS, abs=0.1)

    def test_is_no_recording_where_the_other_ended_without_anything(self, feed, tracks):
        _give(feed, 0, *tracks[0], is_break=False)
        feed.finish(0)
        feed.finish(1)
        assert feed.unusable == ONLY_ONE
