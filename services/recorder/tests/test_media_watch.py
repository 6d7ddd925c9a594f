"""Where media changes so that a new file must begin: nowhere else, and at the right byte."""

from __future__ import annotations

import pytest
from recorder.adapters.media.watch import AT_ONCE, MediaWatch

from services.recorder.tests.joins import X265, Kind, make
from services.recorder.tests.process import ffmpeg

KINDS = {
    "h264": Kind(),
    "large": Kind(size="320x180", seed=2),
    "hevc": Kind(codec=X265, seed=3),
    "cd": Kind(rate=44_100, seed=4),
    "mono": Kind(channels=1, seed=5),
    "silent": Kind(has_sound=False, seed=6),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four seconds of a kind in a container."""
    folder = tmp_path_factory.mktemp("watched")

    def of(name, *options, ending="ts"):
        piece = folder / f"{name}.mkv"
        if not piece.exists():
            make(piece, KINDS[name])
        path = folder / f"{name}{len(options)}.{ending}"
        ffmpeg().run(
            ["-y", "-loglevel", "error", "-i", str(piece), "-c", "copy", *options, str(path)]
        )
        return path.read_bytes()

    return of


def begun(watch, *given):
    """Return at which byte of all that is given new files begin."""
    places, at = [], 0
    for data in given:
        for part in watch.parts(data):
            if part.begins:
                places.append(at)
            at += len(part.data)
    return places


def both():
    return MediaWatch(pictures=True, sound=True)


class TestWatch:
    @pytest.mark.parametrize("name", ["hevc", "cd", "mono", "silent"])
    def test_begins_a_file_with_the_segment_that_differs(self, made, name):
        first, other = made("h264"), made(name)
        assert begun(both(), first, first, other, other, first) == [
            2 * len(first),
            2 * len(first) + 2 * len(other),
        ]

    def test_begins_none_where_parameters_travel_with_the_pictures(self, made):
        assert begun(both(), made("h264"), made("large"), made("h264")) == []

    def test_begins_one_where_streams_are_others(self, made):
        first, moved = made("h264"), made("h264", "-mpegts_start_pid", "0x200")
        assert begun(both(), first, moved) == [len(first)]

    def test_looks_only_at_what_is_recorded_of_a_track(self, made):
        pictures = MediaWatch(pictures=True, sound=False)
        assert begun(pictures, made("h264"), made("cd"), made("silent")) == []
        sound = MediaWatch(pictures=False, sound=True)
        assert begun(sound, made("h264"), made("hevc")) == []

    def test_finds_the_change_in_a_stream_without_segments(self, made):
        first, other = made("h264"), made("hevc")
        whole = first + other
        chunks = [whole[at : at + 10_007] for at in range(0, len(whole), 10_007)]
        [place] = begun(both(), *chunks)
        assert len(first) <= place <= len(first) + 2 * 188

    @pytest.mark.parametrize("name", ["cd", "mono"])
    def test_reads_packed_sound(self, made, name):
        first, other = (made(one, "-vn", ending="aac") for one in ("h264", name))
        assert begun(both(), first, first, other) == [2 * len(first)]

    def test_sees_another_container(self, made):
        sound, stream = made("h264", "-vn", ending="aac"), made("h264")
        [part] = [part for part in _after(both(), sound, stream) if part.begins]
        assert part.container == "mpegts"

    def test_bears_noise(self):
        noise = bytes(range(256)) * 100
        watch = both()
        assert b"".join(part.data for part in watch.parts(noise)) == noise
        assert b"".join(part.data for part in watch.parts(b"\x47" * 5000)) == b"\x47" * 5000

    def test_does_not_begin_files_without_end(self, made):
        watch = MediaWatch(pictures=True, sound=True, clock=lambda: 0.0)
        turns = [made("h264"), made("hevc")] * 20
        assert len(begun(watch, *turns)) == AT_ONCE


def _after(watch, first, second):
    list(watch.parts(first))
    return list(watch.parts(second))
