"""Reading what ffmpeg says about media: its streams, its duration."""

from __future__ import annotations

import re

from chronicle_contracts.recorder import MediaInfo

_STREAM = re.compile(r"Stream #\d+:\d+.*?: (Video|Audio): (\w+)(.*)")
_SIZE = re.compile(r"[ ,](\d{2,5})x(\d{2,5})[ ,\[]")
_RATE = re.compile(r"([\d.]+)(k?) fps")
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)")


def media_info(said: str) -> MediaInfo | None:
    """Return the first video and audio stream of ffmpeg's list; None where it lists none yet."""
    found: dict[str, str | int | float] = {}
    for kind, codec, rest in _STREAM.findall(said):
        if codec == "none":
            continue
        if kind == "Audio":
            found.setdefault("audio_codec", codec)
        elif "video_codec" not in found:
            found["video_codec"] = codec
            if size := _SIZE.search(rest):
                found |= {"width": int(size[1]), "height": int(size[2])}
            if rate := _RATE.search(rest):
                found["fps"] = float(rate[1]) * (1000 if rate[2] else 1)
    return MediaInfo.model_validate(found) if found else None


def duration(said: str) -> float | None:
    """Return the duration in seconds; None where the file has none (it was not finalised)."""
    found = _DURATION.search(said)
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
