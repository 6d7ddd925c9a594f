"""What was delivered: the recording as the store has it."""

from __future__ import annotations

from dataclasses import dataclass

from chronicle_contracts.recorder import Checksum, MediaInfo


@dataclass(frozen=True)
class Hole:
    """Media that was recorded and is not in the object: so many seconds, from this place on.

    What follows keeps its time, so the object's duration spans the hole.
    """

    cause: str
    seconds: float
    at_media_seconds: float


@dataclass(frozen=True)
class Stretch:
    """A part of the object that is of one kind: its place and length in seconds, its tracks.

    `tracks` are numbers of Matroska tracks, pictures before sound.
    """

    begins_at: float
    seconds: float
    tracks: tuple[int, ...]
    codecs: tuple[str, ...]  # Matroska's ids, of the tracks


@dataclass(frozen=True)
class Delivery:
    """A verified object: `size` in bytes, `duration` in seconds as probed.

    `stretches` tell where the source changed what it sent; empty where the object is one file
    as it grew.
    """

    key: str
    size: int
    etag: str
    checksum: Checksum
    duration: float
    media: MediaInfo
    losses: tuple[Hole, ...] = ()
    stretches: tuple[Stretch, ...] = ()
