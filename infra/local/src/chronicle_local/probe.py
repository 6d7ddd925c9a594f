"""Reading a recording back with ffmpeg: every packet is decoded, nothing is taken on trust."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from chronicle_local.errors import StepFailed

STREAM = re.compile(r"Stream #0:\d+.*?: (Video|Audio): (\w+)")
SIZE = re.compile(r"Video: .*?, (\d{2,5})x(\d{2,5})")
DURATION = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")
INPUT = re.compile(r"Input #0, ([\w,]+)")


@dataclass(frozen=True)
class Playable:
    """What ffmpeg found: container, header's and decoded duration in seconds, codecs, frames."""

    container: str
    duration: float
    decoded: float
    video: str | None
    audio: str | None
    width: int
    height: int
    frames: int

    def __str__(self) -> str:
        picture = f"{self.video} {self.width}x{self.height}" if self.video else "no picture"
        return (
            f"{self.container}, {self.duration:.1f} s, {picture} ({self.frames} frames), "
            f"{self.audio or 'no sound'}"
        )


def decode(path: Path, *, timeout: float = 120.0) -> Playable:
    """Decode the whole file and return what is in it. Raises `StepFailed` where it cannot be."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-nostats"),
        *("-i", str(path), "-map", "0:v?", "-map", "0:a?"),
        *("-f", "null", "-progress", "pipe:1", "-"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"ffmpeg did not get through {path} in {timeout:g} s") from error
    found = dict(STREAM.findall(done.stderr.partition("Output #0")[0]))
    length = DURATION.search(done.stderr)
    if done.returncode != 0 or not found or length is None:
        raise StepFailed(f"ffmpeg cannot play {path}: {done.stderr.strip()[-600:]}")
    hours, minutes, seconds = length.groups()
    size = SIZE.search(done.stderr)
    container = INPUT.search(done.stderr)
    reported = dict(line.split("=", 1) for line in done.stdout.split() if "=" in line)
    return Playable(
        container=container.group(1).partition(",")[0] if container else "unknown",
        duration=int(hours) * 3600 + int(minutes) * 60 + float(seconds),
        decoded=int(reported["out_time_us"]) / 1e6,
        video=found.get("Video"),
        audio=found.get("Audio"),
        width=int(size.group(1)) if size else 0,
        height=int(size.group(2)) if size else 0,
        frames=int(reported.get("frame", 0)),
    )
