"""Looking into finished files, which are Matroska and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chronicle_contracts.recorder import MediaInfo

from recorder.adapters.media import info as media_info
from recorder.adapters.media.ffmpeg import Ffmpeg, FfmpegFailed


@dataclass(frozen=True)
class Probed:
    """A file with media in it; `duration` is None where it was never finalised."""

    media: MediaInfo
    duration: float | None


def probe(ffmpeg: Ffmpeg, path: Path) -> Probed | None:
    """Return what is in a file, None where it holds no media that can be read."""
    try:
        # Without an output ffmpeg ends with an error after it has said what is in the file;
        # the null output of no frames ends well.
        _, said = ffmpeg.run(
            [
                *("-protocol_whitelist", "file", "-format_whitelist", "matroska,webm"),
                *("-i", f"file:{path}"),
                *("-map", "0", "-c", "copy", "-t", "0", "-f", "null", "-"),
            ],
            timeout=60,
        )
    except FfmpegFailed:
        return None
    info = media_info.media_info(said.partition("Output #0")[0])
    return None if info is None else Probed(info, media_info.duration(said))
