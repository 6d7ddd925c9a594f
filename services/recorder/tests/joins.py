"""Pieces as remuxers leave them, and what is in a file that was made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.recorder.tests.process import ffmpeg

SECONDS = 4
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")


@dataclass(frozen=True)
class Kind:
    """What a source sends."""

    size: str = "160x90"
    codec: tuple[str, ...] = X264
    rate: int = 48_000
    channels: int = 2
    seed: int = 1
    has_pictures: bool = True
    has_sound: bool = True


def make(path: Path, kind: Kind) -> Path:
    """Encode four seconds and write them as a remuxer does."""
    look = f"testsrc2=size={kind.size}:rate=25,hue=h={40 * kind.seed}"
    noise = f"anoisesrc=seed={kind.seed}:amplitude=0.1:sample_rate={kind.rate}"
    inputs = [*(("-f", "lavfi", "-i", look) if kind.has_pictures else ())]
    inputs += ["-f", "lavfi", "-i", noise] if kind.has_sound else []
    ffmpeg().run(
        [
            *("-y", "-loglevel", "error", *inputs, "-t", str(SECONDS)),
            *((*kind.codec, "-pix_fmt", "yuv420p", "-g", "25") if kind.has_pictures else ()),
            *("-c:a", "aac", "-b:a", "48k", "-ac", str(kind.channels)),
            *("-cluster_time_limit", "1000", "-f", "matroska", str(path)),
        ]
    )
    return path


def decoded(path: Path, track: str) -> tuple[list[str], str]:
    """Return the hashes of a track's decoded frames (`v:0`), and what the decoder complained of."""
    listing, said = ffmpeg().run(
        [
            *("-loglevel", "error", "-i", str(path), "-map", f"0:{track}"),
            *(("-fps_mode", "passthrough", "-noautoscale") if track[0] == "v" else ()),
            *("-f", "framehash", "-"),
        ]
    )
    lines = [line for line in listing.splitlines() if line and not line.startswith("#")]
    return [line.split(",")[5].strip() for line in lines], said


def times(path: Path, track: str) -> list[float]:
    """Return when the packets of a track are presented, in seconds."""
    listing, _ = ffmpeg().run(
        [
            *("-loglevel", "error", "-i", str(path), "-map", f"0:{track}", "-c", "copy"),
            *("-copyts", "-f", "framehash", "-"),
        ]
    )
    lines = [line for line in listing.splitlines() if line and not line.startswith("#")]
    scale = next(line for line in listing.splitlines() if line.startswith("#tb"))
    over, under = scale.rpartition(" ")[2].split("/")
    return [int(line.split(",")[2]) * int(over) / int(under) for line in lines]
