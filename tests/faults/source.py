"""A numbered source: segments of media of which every packet is known by its hash.

A packet keeps its hash on its way through containers (MPEG-TS, Matroska, MP4), because only
what was coded is hashed: of pictures the slices, of sound the frames without their headers. So
what a recording lacks of its source can be counted, packet by packet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from recorder.adapters.media.ffmpeg import Ffmpeg

RATE = 25  # pictures a second
SOUND_RATE = 48_000  # samples a second
SOUND_SAMPLES = 1024  # in a frame of AAC

CD = 44_100  # another rate of sound
# Streams of other numbers (PIDs) than before.
MOVED = ("-hls_segment_options", "mpegts_start_pid=0x200")

SMALL, LARGE = "160x90", "240x136"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0")

_KINDS = ("Video", "Audio")

# What is left of a picture: its slices, without parameter sets, which containers move about.
_SLICES = {
    "h264": "h264_mp4toannexb,filter_units=pass_types=1-5",
    "hevc": "hevc_mp4toannexb,filter_units=pass_types=0-31",
}


@dataclass(frozen=True)
class Life:
    """What one encoder sends from its start on; `segment` is their length in seconds."""

    name: str
    segment: float
    segments: tuple[bytes, ...]
    pictures: tuple[str, ...]
    sounds: tuple[str, ...]
    sound_rate: int = SOUND_RATE


def ffmpeg() -> Ffmpeg:
    """Return the packaged ffmpeg."""
    return Ffmpeg(Path(imageio_ffmpeg.get_ffmpeg_exe()))


def make_first_life(folder: Path, *, seconds: int, segment: int) -> Life:
    """Encode what there is before a fault, or without one; a second of work a minute."""
    return _make(folder, "first", seconds, segment, SMALL, "null", 1, X264)


def make_lives(folder: Path, *, seconds: int, segment: int, first: int = 2) -> dict[str, Life]:
    """Encode the encoders' lives that faults switch between; some seconds of work.

    The first life is so many times as long as the others.
    """
    # Timestamps of another life begin anew, as those of a restarted encoder do.
    return {
        "first": make_first_life(folder, seconds=first * seconds, segment=segment),
        "second": _make(folder, "second", seconds, segment, SMALL, "negate", 2, X264),
        "large": _make(folder, "large", seconds, segment, LARGE, "negate", 3, X264),
        "hevc": _make(folder, "hevc", seconds, segment, SMALL, "hflip", 4, X265),
        "mono": _make(folder, "mono", seconds, segment, SMALL, "vflip", 5, X264, sound=CD),
        "moved": _make(folder, "moved", seconds, segment, SMALL, "negate,vflip", 6, X264, MOVED),
    }


def _make(
    folder: Path,
    name: str,
    seconds: int,
    segment: int,
    size: str,
    look: str,
    seed: int,
    codec: Sequence[str],
    options: Sequence[str] = (),
    sound: int = SOUND_RATE,
) -> Life:
    picture = f"testsrc2=size={size}:rate={RATE},{look}"
    noise = f"anoisesrc=seed={seed}:amplitude=0.1:sample_rate={sound}"
    ffmpeg().run(
        [
            *("-loglevel", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", noise),
            *("-t", str(seconds), *codec, "-pix_fmt", "yuv420p", "-threads", "1"),
            *("-g", str(RATE), "-force_key_frames", "expr:gte(t,n_forced)"),
            *("-c:a", "aac", "-b:a", "48k", *options, "-f", "hls", "-hls_time", str(segment)),
            *("-hls_list_size", "0", "-hls_segment_filename", str(folder / f"{name}-%03d.ts")),
            str(folder / f"{name}.m3u8"),
        ]
    )
    segments = tuple(path.read_bytes() for path in sorted(folder.glob(f"{name}-*.ts")))
    whole = folder / f"{name}.ts"
    whole.write_bytes(b"".join(segments))
    pictures, sounds = packets(whole)
    assert len(segments) == seconds // segment
    assert len(set(pictures)) == seconds * RATE, "every picture must be told from every other"
    assert len(set(sounds)) == len(sounds), "every frame of sound must be told from every other"
    return Life(name, float(segment), segments, tuple(pictures), tuple(sounds), sound)


def packets(path: Path) -> tuple[list[str], list[str]]:
    """Return the hashes of a file's pictures and of its sound, track by track."""
    codecs = tracks(path)
    return _hashes(path, "v", codecs["v"]), _hashes(path, "a", codecs["a"])


def tracks(path: Path) -> dict[str, list[str]]:
    """Return the codecs of a file's tracks of pictures (`v`) and of sound (`a`)."""
    _, said = ffmpeg().run(["-i", f"file:{path}", "-t", "0", "-f", "null", "-"])
    found = re.findall(r"Stream #0:\d.*: (Video|Audio): (\w+)", said.partition("Output #0")[0])
    return {kind[0].lower(): [codec for one, codec in found if one == kind] for kind in _KINDS}


def _hashes(path: Path, kind: str, codecs: Sequence[str]) -> list[str]:
    hashes = []
    for number, codec in enumerate(codecs):
        strip = _SLICES.get(codec, "null") if kind == "v" else "aac_adtstoasc"
        listing, _ = ffmpeg().run(
            [
                *("-loglevel", "error", "-i", f"file:{path}", "-map", f"0:{kind}:{number}"),
                *("-c", "copy", "-copyinkf", f"-bsf:{kind}", strip),
                *("-f", "framehash", "-hash", "md5", "-"),
            ]
        )
        lines = [line for line in listing.splitlines() if line and not line.startswith("#")]
        # Stream, two times, duration, size, hash; then what came beside it (MPEG-TS: a stream id).
        hashes += [line.split(",")[5].strip() for line in lines]
    return hashes
