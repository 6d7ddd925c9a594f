"""Trying whether a finished recording can be played: its beginning, its end, its tracks' ends.

Not all of it: a long recording is not even on this machine any more (what the store has is
freed). What breaks recordings breaks their head (never finalised) or their tail (cut, no
index), and an index that leads to the tail is what makes the middle reachable.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import structlog

from recorder.adapters.ffmpeg import Ffmpeg, FfmpegFailed
from recorder.adapters.probe import Probed

log = structlog.get_logger(__name__)

HEAD, TAIL = 3.0, 10.0  # seconds
LEAST_DIFFERENCE = 2.0  # seconds
WITHIN = 60.0  # seconds for each look; they take a tenth of one
_LAST = ("-noaccurate_seek", "-sseof", f"-{TAIL:g}")


@dataclass(frozen=True)
class Verification:
    """`drift`: seconds between the ends of the tracks; `troubles`: sentences."""

    drift: float | None
    troubles: tuple[str, ...]


def verify(ffmpeg: Ffmpeg, path: Path, probed: Probed) -> Verification:
    """Decode head and tail of a file, key frames only; read where its tracks end.

    `probed` is what the file says of itself.
    """
    media, duration = probed.media, probed.duration or 0.0
    troubles = []
    kinds = [
        kind
        for kind, codec in (("v", media.video_codec), ("a", media.audio_codec))
        if codec is not None
    ]
    for place, where in (("beginning", ("-t", f"{HEAD:g}")), ("end", _LAST)):
        try:
            decoded = _tracks(ffmpeg, path, kinds, where, decodes=True)
        except FfmpegFailed as error:
            troubles.append(f"The {place} cannot be played: {str(error).rstrip('.')}.")
            continue
        names = {"v": "picture", "a": "sound"}
        # Of several tracks one may end early: that is for the drift to say.
        if not decoded or (place == "beginning" and len(decoded) < len(kinds)):
            lacking = next((k for number, k in enumerate(kinds) if number not in decoded), kinds[0])
            troubles.append(f"No {names[lacking]} can be decoded at the {place}.")
    try:
        ends = _tracks(ffmpeg, path, kinds, _LAST, decodes=False)
    except FfmpegFailed:
        ends = {}
    if ends and max(ends.values()) < duration - LEAST_DIFFERENCE:
        last = max(ends.values())
        troubles.append(f"Nothing can be read behind {last:.1f} s of {duration:.1f} s.")
    drift = None
    if len(ends) > 1:
        drift = abs(ends[0] - ends[1])
    elif ends and len(kinds) > 1:
        # The other one ended before the look began.
        drift = TAIL
        troubles.append(f"One of sound and picture ends {TAIL:g} s or more before the other.")
    return Verification(drift, tuple(troubles))


def _tracks(
    ffmpeg: Ffmpeg, path: Path, kinds: list[str], where: tuple[str, ...], *, decodes: bool
) -> dict[int, float]:
    """Return the kinds of which there is something at a place, and where that ends, in seconds.

    Where a source changed, a kind has several tracks, one behind the other.
    """
    maps = [part for kind in kinds for part in ("-map", f"0:{kind}")]
    said, _ = ffmpeg.run(
        [
            *("-loglevel", "error", "-protocol_whitelist", "file,pipe"),
            *(("-skip_frame:v", "nokey") if decodes and "v" in kinds else ()),
            *(*where, "-copyts", "-i", f"file:{path}", *maps),
            *(() if decodes else ("-c", "copy")),
            *("-fps_mode", "passthrough", "-f", "framecrc", "pipe:1"),
        ],
        timeout=WITHIN,
    )
    return _ends(said, kinds)


def _ends(said: str, kinds: list[str]) -> dict[int, float]:
    """Read ffmpeg's framecrc: `#tb 0: 1/1000`, then `track, dts, pts, duration, size, crc`."""
    bases: dict[int, Fraction] = {}
    of_track: dict[int, int] = {}
    ends: dict[int, float] = {}
    for line in said.splitlines():
        if line.startswith("#tb "):
            name, _, base = line.removeprefix("#tb ").partition(": ")
            bases[int(name)] = Fraction(base)
        elif line.startswith("#media_type "):
            name, _, kind = line.removeprefix("#media_type ").partition(": ")
            of_track[int(name)] = kinds.index(kind[0])
        elif line and not line.startswith("#"):
            track, _, pts, duration = (int(one) for one in line.split(",")[:4])
            end = float((pts + duration) * bases[track])
            kind_of = of_track[track]
            ends[kind_of] = max(ends.get(kind_of, end), end)
    return ends
