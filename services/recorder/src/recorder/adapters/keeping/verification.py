"""Trying whether a finished recording can be played: its beginning, its end, its tracks' ends.

Not all of it: a long recording is not even on this machine any more (what the store has is
freed). What breaks recordings breaks their head (never finalised) or their tail (cut, no
index), and an index that leads to the tail is what makes the middle reachable.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import structlog

from recorder.adapters.media.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.adapters.media.probe import Probed

log = structlog.get_logger(__name__)

HEAD, TAIL = 3.0, 10.0  # seconds
LEAST_DIFFERENCE = 2.0  # seconds
WITHIN = 60.0  # seconds for each look; they take a tenth of one
_NAMES = {"video": "picture", "audio": "sound"}
_LAST = ("-noaccurate_seek", "-sseof", f"-{TAIL:g}")


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
        decoded = {
            place: looks.submit(_ends, ffmpeg, path, wanted, where, decodes=True)
            for place, where in (("beginning", ("-t", f"{HEAD:g}")), ("end", _LAST))
        }
        reading = looks.submit(_ends, ffmpeg, path, wanted, _LAST, decodes=False)
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


def _ends(
    ffmpeg: Ffmpeg, path: Path, wanted: set[str], where: tuple[str, ...], *, decodes: bool
) -> dict[str, float]:
    """Return what there is at a place, pictures or sound, and where it ends, in seconds."""
    said, _ = ffmpeg.run(
        [
            *("-loglevel", "error", "-protocol_whitelist", "file,pipe"),
            *(("-skip_frame:v", "nokey") if decodes and "video" in wanted else ()),
            *(*where, "-copyts", "-i", f"file:{path}", "-map", "0:v?", "-map", "0:a?"),
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
