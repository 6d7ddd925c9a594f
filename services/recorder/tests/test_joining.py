"""Files joined into one that plays: what follows in a track, what gets one of its own."""

from __future__ import annotations

import re

import pytest
from recorder.adapters.keeping.reading import LocalFile
from recorder.adapters.media.joining import CannotJoin, join

from services.recorder.tests.joins import SECONDS, VP8, X264, X265, Kind, decoded, make, times
from services.recorder.tests.process import ffmpeg

PICTURES = 25 * SECONDS

KINDS = {
    "small": Kind(),
    "other": Kind(seed=2),
    "large": Kind(size="320x180", seed=3),
    "hevc": Kind(codec=X265, seed=4),
    "hevc-large": Kind(codec=X265, size="320x180", seed=5),
    "vp8": Kind(codec=VP8, seed=6),
    "vp8-large": Kind(codec=VP8, size="320x180", seed=7),
    "cd": Kind(rate=44_100, seed=8),
    "mono": Kind(channels=1, seed=9),
    "silent": Kind(has_sound=False, seed=10),
    "radio": Kind(has_pictures=False, seed=11),
    "baseline": Kind(codec=(*X264, "-profile:v", "baseline"), seed=12),
}


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """The pieces, made when they are asked for."""
    folder = tmp_path_factory.mktemp("pieces")

    def of(name):
        path = folder / f"{name}.mkv"
        return path if path.exists() else make(path, KINDS[name])

    return of


@pytest.fixture
def joined(pieces, tmp_path):
    def of(*names):
        path = tmp_path / "joined.mkv"
        with path.open("wb") as target:
            told = join([LocalFile(pieces(name)) for name in names], target)
        return path, told

    return of


def shape(path):
    _, said = ffmpeg().run(["-i", str(path), "-t", "0", "-f", "null", "-"])
    return re.findall(r"Stream #0:\d.*: (?:Video|Audio): (\w+)", said.partition("Output #0")[0])


class TestJoin:
    @pytest.mark.parametrize(
        "names",
        [
            ("small",),
            ("small", "other"),
            ("small", "large", "small"),
            ("small", "baseline"),
            ("hevc", "hevc-large", "hevc"),
            ("vp8", "vp8-large"),
        ],
        ids="+".join,
    )
    def test_keeps_in_one_track_what_can_follow(self, joined, pieces, names):
        path, told = joined(*names)
        assert len(shape(path)) == 2
        assert told.duration == pytest.approx(SECONDS * len(names), abs=0.1)
        assert all(file.is_final for file in told.files)
        assert told.files[-1].ends_at == told.duration
        for track in ("v:0", "a:0"):
            whole, said = decoded(path, track)
            assert said == ""
            if track == "v:0":  # a decoder of sound mixes the frames at a joint
                assert whole == [one for name in names for one in decoded(pieces(name), track)[0]]
            assert len(times(path, track)) == sum(len(times(pieces(one), track)) for one in names)

    @pytest.mark.parametrize(
        ("names", "tracks"),
        [
            (("small", "hevc"), ["h264", "aac", "hevc"]),
            (("small", "hevc", "large", "hevc-large"), ["h264", "aac", "hevc"]),
            (("small", "cd"), ["h264", "aac", "aac"]),
            (("small", "mono", "other"), ["h264", "aac", "aac"]),
            (("small", "silent", "radio"), ["h264", "aac"]),
            (("radio", "vp8", "hevc"), ["aac", "vp8", "hevc"]),
        ],
        ids="+".join,
    )
    def test_gives_a_track_at_its_time_to_what_cannot(self, joined, pieces, names, tracks):
        path, told = joined(*names)
        assert shape(path) == tracks
        assert [one.begins_at for one in told.stretches] == pytest.approx(
            [SECONDS * number for number in range(len(names))], abs=0.1 * len(names)
        )
        of_kind = {"v": 0, "a": 0}
        for number, codec in enumerate(tracks, 1):
            kind = "a" if codec == "aac" else "v"
            track = f"{kind}:{of_kind[kind]}"
            of_kind[kind] += 1
            parts = [
                (stretch, pieces(name))
                for stretch, name in zip(told.stretches, names, strict=True)
                if number in stretch.tracks
            ]
            whole, said = decoded(path, track)
            assert said == ""
            if kind == "v":
                assert whole == [one for _, piece in parts for one in decoded(piece, "v:0")[0]]
            placed = times(path, track)
            expected = [
                stretch.begins_at + at
                for stretch, piece in parts
                for at in times(piece, f"{kind}:0")
            ]
            assert placed == pytest.approx(expected, abs=0.002)

    def test_can_be_sought_in(self, joined, pieces):
        path, _ = joined("small", "large", "small")
        for at, name in ((1, "small"), (SECONDS + 1, "large"), (2 * SECONDS + 1, "small")):
            listing, said = ffmpeg().run(
                [
                    *("-loglevel", "error", "-ss", str(at), "-i", str(path), "-map", "0:v"),
                    *("-frames:v", "1", "-noautoscale", "-f", "framehash", "-"),
                ]
            )
            assert said == ""
            assert listing.split(",")[-1].strip() in decoded(pieces(name), "v:0")[0]

    def test_finalises_what_was_cut_off(self, pieces, tmp_path):
        whole = pieces("small").read_bytes()
        cut = tmp_path / "cut.mkv"
        cut.write_bytes(whole[: len(whole) * 2 // 3])
        path = tmp_path / "joined.mkv"
        with path.open("wb") as target:
            told = join([LocalFile(cut)], target)
        frames, said = decoded(path, "v:0")
        assert said == ""
        assert told.duration == pytest.approx(len(frames) / 25, abs=0.1)
        [file] = told.files
        assert (file.name, file.is_final, file.seconds) == ("cut.mkv", False, told.duration)
        sure = len(frames) - 4  # pictures between two, of which one was cut off
        assert frames[:sure] == decoded(pieces("small"), "v:0")[0][:sure]
        assert len(frames) > PICTURES / 3

    def test_says_what_is_missing_where_a_file_has_a_hole(self, pieces, tmp_path):
        content = bytearray(pieces("large").read_bytes())
        hole = (len(content) // 3, len(content) // 2)
        content[slice(*hole)] = bytes(hole[1] - hole[0])
        broken, path = tmp_path / "broken.mkv", tmp_path / "joined.mkv"
        broken.write_bytes(content)
        for holes in ([hole], []):
            with path.open("wb") as target:
                told = join([LocalFile(broken, holes)], target)
            [gone] = told.holes
            assert told.duration == pytest.approx(SECONDS, abs=0.1)
            seen = times(path, "v:0")
            longest = max(b - a for a, b in zip(seen[:-1], sorted(seen)[1:], strict=True))
            assert gone.seconds == pytest.approx(longest, abs=0.25)
            assert len(seen) + gone.seconds * 25 == pytest.approx(PICTURES, abs=4)

    def test_passes_over_what_is_no_media(self, pieces, tmp_path):
        noise, path = tmp_path / "noise.mkv", tmp_path / "joined.mkv"
        noise.write_bytes(b"\x00no media" * 1000)
        with path.open("wb") as target:
            join([LocalFile(noise), LocalFile(pieces("small"))], target)
        assert len(decoded(path, "v:0")[0]) == PICTURES
        with path.open("wb") as target, pytest.raises(CannotJoin):
            join([LocalFile(noise)], target)

    def test_makes_the_same_file_of_the_same_pieces(self, joined, tmp_path):
        first = joined("small", "hevc")[0].read_bytes()
        assert joined("small", "hevc")[0].read_bytes() == first

    def test_lets_no_stretch_look_like_another(self, joined):
        _, told = joined("small", "large", "other")
        assert [(one.width, one.height) for one in told.stretches] == [
            (160, 90),
            (320, 180),
            (160, 90),
        ]
        _, told = joined("small", "other")
        assert told.stretches == ()
        assert told.holes == ()
