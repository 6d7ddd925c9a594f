"""Loss: what of the published media a recording lacks, by the hashes of its packets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recorder.adapters.media.ffmpeg import FfmpegFailed

from tests.faults.encoder import Entry
from tests.faults.source import RATE, SOUND_SAMPLES, Life, ffmpeg, packets, tracks


@dataclass(frozen=True)
class Loss:
    """Seconds of media, counted from the first packet that the recording has."""

    published: float
    lost: float
    twice: float
    lost_segments: tuple[str, ...]  # those of which pictures are missing


def count(recording: Path, published: Sequence[Entry]) -> Loss:
    """Compare a recording with what was published while it was made."""
    lives = _lives(published)
    try:
        pictures, sounds = packets(recording)
    except (FfmpegFailed, OSError):
        pictures, sounds = [], []
    expected = [one for life, end in lives for one in life.pictures[: round(end * RATE)]]
    missing = _missing(expected, pictures)
    # Where sound is cut between segments is the multiplexer's business: some frames either way.
    heard = [
        one for life, end in lives for one in life.sounds[: int((end - 0.2) * _per_second(life))]
    ]
    unheard = _missing(heard, sounds)
    rates = {one: _per_second(life) for life, _ in lives for one in life.sounds}
    known = set(expected)
    twice = sum(found - 1 for one, found in Counter(pictures).items() if one in known)
    return Loss(
        published=len(_since_first(expected, pictures)) / RATE,
        lost=max(len(missing) / RATE, sum(1 / rates[one] for one in unheard)),
        twice=twice / RATE,
        lost_segments=_segments(missing, lives),
    )


def is_playable(recording: Path) -> bool:
    """Whether the pictures can be decoded to the end, but for a second's worth at damaged cuts."""
    try:
        pictures, _ = packets(recording)
        decoded = sum(_decoded(recording, n) for n in range(len(tracks(recording)["v"])))
    except (FfmpegFailed, OSError):
        return False
    return bool(pictures) and decoded >= len(pictures) - RATE


def _decoded(recording: Path, number: int) -> int:
    """Return how many pictures of a track can be decoded."""
    place = ["-i", f"file:{recording}", "-map", f"0:v:{number}"]
    _, said = ffmpeg().run([*place, "-fps_mode", "passthrough", "-f", "null", "-"])
    found = re.findall(r"frame=\s*(\d+)", said)
    return int(found[-1]) if found else 0


def _per_second(life: Life) -> float:
    """Return how many frames of sound there are in a second."""
    return life.sound_rate / SOUND_SAMPLES


def _lives(published: Sequence[Entry]) -> list[tuple[Life, float]]:
    """Return each encoder's life, with the seconds of it that were published."""
    ends: dict[str, tuple[Life, float]] = {}
    for entry in published:
        ends[entry.life.name] = (entry.life, (entry.index + 1) * entry.life.segment)
    return list(ends.values())


def _since_first(expected: Sequence[str], found: Sequence[str]) -> Sequence[str]:
    present = set(found)
    first = next((at for at, one in enumerate(expected) if one in present), 0)
    return expected[first:]


def _missing(expected: Sequence[str], found: Sequence[str]) -> list[str]:
    present = set(found)
    return [one for one in _since_first(expected, found) if one not in present]


def _segments(missing: Sequence[str], lives: Sequence[tuple[Life, float]]) -> tuple[str, ...]:
    lacking = set(missing)
    return tuple(
        dict.fromkeys(
            f"{life.name}/{int(at / RATE / life.segment)}"
            for life, _ in lives
            for at, one in enumerate(life.pictures)
            if one in lacking
        )
    )
