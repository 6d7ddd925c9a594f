"""Trying out finished files, whole ones and damaged ones."""

import pytest
from recorder.adapters.keeping.verification import verify
from recorder.adapters.media.probe import probe

from services.recorder.tests.process import ffmpeg

LENGTH = 24  # seconds
HERE = 128 * 1024  # bytes at the beginning of a freed file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A Matroska file with pictures and sound."""
    path = tmp_path_factory.mktemp("made") / "whole.mkv"
    make(
        path,
        *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", str(LENGTH)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac"),
    )
    return path


def make(path, *arguments):
    ffmpeg().run(["-y", "-loglevel", "error", *map(str, arguments), f"file:{path}"])
    return path


def verified(path):
    found = probe(ffmpeg(), path)
    assert found is not None
    return verify(ffmpeg(), path, found)


class TestVerify:
    def test_has_nothing_to_say_of_a_whole_file(self, whole):
        found = verified(whole)
        assert found.troubles == ()
        assert found.drift == pytest.approx(0, abs=0.1)

    def test_takes_sound_alone(self, whole, tmp_path):
        sound = make(tmp_path / "sound.mkv", "-i", whole, "-map", "0:a", "-c", "copy")
        assert verified(sound).troubles == ()
        assert verified(sound).drift is None

    @pytest.mark.parametrize("short", ["v", "a"])
    def test_measures_how_far_apart_the_tracks_end(self, whole, tmp_path, short):
        long = "a" if short == "v" else "v"
        apart = make(
            tmp_path / "apart.mkv",
            *("-t", LENGTH - 4, "-i", whole, "-i", whole),
            *("-map", f"0:{short}", "-map", f"1:{long}", "-c", "copy"),
        )
        assert verified(apart).drift == pytest.approx(4, abs=0.2)
        assert verified(apart).troubles == ()

    def test_knows_no_more_than_its_look_of_a_track_that_ended_long_before(self, whole, tmp_path):
        apart = make(
            tmp_path / "apart.mkv",
            *("-t", 6, "-i", whole, "-i", whole, "-map", "0:a", "-map", "1:v", "-c", "copy"),
        )
        assert verified(apart).drift == 10

    def test_follows_pictures_from_one_track_to_the_next(self, whole, tmp_path):
        changed = make(
            tmp_path / "changed.mkv",
            *("-i", whole, "-itsoffset", LENGTH, "-i", whole),
            *("-map", "0:v", "-map", "1:v", "-map", "0:a", "-map", "1:a", "-c", "copy"),
        )
        found = verified(changed)
        assert found.troubles == ()
        assert found.drift == pytest.approx(0, abs=0.1)

    def test_finds_that_the_end_is_lost(self, whole, tmp_path):
        damaged = tmp_path / "damaged.mkv"
        content = whole.read_bytes()
        damaged.write_bytes(content[: len(content) // 2].ljust(len(content), b"\0"))
        [trouble] = verified(damaged).troubles
        assert trouble.startswith("Nothing can be read behind 1")

    def test_finds_that_nothing_can_be_decoded(self, whole, tmp_path):
        damaged = tmp_path / "damaged.mkv"
        content = bytearray(whole.read_bytes())
        content[5000:-5000] = bytes(len(content) - 10_000)
        damaged.write_bytes(content)
        assert len(verified(damaged).troubles) > 0

    def test_reads_a_file_of_which_the_middle_is_stored_elsewhere(self, whole, tmp_path):
        longer = make(tmp_path / "long.mkv", "-stream_loop", 20, "-i", whole, "-c", "copy")
        content = bytearray(longer.read_bytes())
        a, b = len(content) // 4, len(content) // 2
        content[a:b] = bytes(b - a)
        longer.write_bytes(content)
        assert verified(longer).troubles == ()

    def test_takes_the_beginning_up_to_where_the_file_was_freed(self, whole, tmp_path):
        freed = make(tmp_path / "freed.mkv", "-stream_loop", 20, "-i", whole, "-c", "copy")
        size = freed.stat().st_size
        # Less than the look wants, then nothing for longer than anybody should search.
        with freed.open("r+b") as file:
            file.seek(-size // 4, 2)
            tail, at = file.read(), size - size // 4
            file.truncate(HERE)
            file.seek(at)
            file.write(tail)
        assert freed.stat().st_blocks * 512 < size
        assert verified(freed).troubles == ()
