"""Trying whether a finished recording can be played: its beginning, its end, its tracks' ends.

Not all of it: a long recording is not even on this machine any more (what the store has is
freed). What breaks recordings breaks their head (never finalised) or their tail (cut, no
index), and an index that leads to the tail is what makes the middle reachable.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import structlog

from recorder.adapters.media.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.adapters.media.probe import Probed

log = structlog.get_logger(__name__)

HEAD, TAIL = 3.0, 10.0  # seconds that are looked at
LAST = 3.0  # seconds of them that are decoded, from the key frame before on
LEAST_DIFFERENCE = 2.0  # seconds
WITHIN = 60.0  # seconds for each look; they take a tenth of one
_NAMES = {"video": "picture", "audio": "sound"}


@dataclass(frozen=True)
class Verification:
    """`drift`: seconds between the ends of the tracks; `troubles`: sentences."""

    drift: float | None
    troubles: tuple[str, ...]


def verify(ffmpeg: Ffmpeg, path: Path, probed: Probed) -> Verification:
    """Decode head and tail of a file, key frames only; read where its tracks end.

    `probed` is what the file says of itself. A source that changed its codecs has left several
    tracks of a kind, one after the other: together they are the pictures, or the sound.
    """
    media, duration = probed.media, probed.duration or 0.0
    wanted = {
        kind
        for kind, codec in (("video", media.video_codec), ("audio", media.audio_codec))
        if codec is not None
    }
    # Side by side: each is mostly ffmpeg's own start, and whoever waits for the recording waits
    # for them.
    with ThreadPoolExecutor(3, thread_name_prefix="verify") as looks:
        places = (("beginning", _beginning(path)), ("end", _end(path, LAST)))
        decoded = {
            place: looks.submit(_ends, ffmpeg, wanted, where, decodes=True)
            for place, where in places
        }
        reading = looks.submit(_ends, ffmpeg, wanted, _end(path, TAIL), decodes=False)
    troubles = []
    for place, look in decoded.items():
        try:
            lacking = wanted - look.result().keys()
        except FfmpegFailed as error:
            troubles.append(f"The {place} cannot be played: {str(error).rstrip('.')}.")
            continue
        # Of pictures and sound one may end early: that is for the drift to say.
        if lacking and (place == "beginning" or lacking == wanted):
            names = " and no ".join(sorted(_NAMES[kind] for kind in lacking))
            troubles.append(f"No {names} can be decoded at the {place}.")
    try:
        ends = reading.result()
    except FfmpegFailed:
        ends = {}
    if ends and max(ends.values()) < duration - LEAST_DIFFERENCE:
        last = max(ends.values())
        troubles.append(f"Nothing can be read behind {last:.1f} s of {duration:.1f} s.")
    drift = None
    if len(ends) == len(_NAMES):
        drift = abs(ends["video"] - ends["audio"])
    elif ends and len(wanted) == len(_NAMES):
        # The other one ended before the look began: so much, or more.
        drift = min(TAIL, duration)
    return Verification(drift, tuple(troubles))


def _beginning(path: Path) -> tuple[str, ...]:
    """Return the input of the first seconds; where what the store has was freed, up to there.

    Behind that are zeros, all of which would be searched for media.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        hole = file.seek(0, os.SEEK_HOLE)
    name = f"file:{path}" if hole >= size else f"subfile,,start,0,end,{hole},,:file:{path}"
    return "-t", f"{HEAD:g}", "-copyts", "-i", name


def _end(path: Path, seconds: float) -> tuple[str, ...]:
    return "-noaccurate_seek", "-sseof", f"-{seconds:g}", "-copyts", "-i", f"file:{path}"


def _ends(
    ffmpeg: Ffmpeg, wanted: set[str], where: tuple[str, ...], *, decodes: bool
) -> dict[str, float]:
    """Return what there is at a place, pictures or sound, and where it ends, in seconds."""
    said, _ = ffmpeg.run(
        [
            *("-loglevel", "error", "-protocol_whitelist", "file,pipe,subfile"),
            *(("-skip_frame:v", "nokey") if decodes and "video" in wanted else ()),
            *(*where, "-map", "0:v?", "-map", "0:a?"),
            *(() if decodes else ("-c", "copy")),
            *("-fps_mode", "passthrough", "-f", "framecrc", "pipe:1"),
        ],
        timeout=WITHIN,
    )
    return _read(said)


def _read(said: str) -> dict[str, float]:
    """Read ffmpeg's framecrc: lines of `track, dts, pts, duration, size, crc` below a head."""
    bases: dict[str, Fraction] = {}
    kinds: dict[str, str] = {}
    ends: dict[str, float] = {}
    for line in said.splitlines():
        if line.startswith("#"):
            name, _, value = line.partition(": ")
            what, _, track = name.removeprefix("#").partition(" ")
            if what == "tb":
                bases[track] = Fraction(value)
            elif what == "media_type":
                kinds[track] = value
        elif line:
            track, _, pts, duration = (one.strip() for one in line.split(",")[:4])
            end = float((int(pts) + int(duration)) * bases[track])
            ends[kinds[track]] = max(ends.get(kinds[track], end), end)
    return ends
