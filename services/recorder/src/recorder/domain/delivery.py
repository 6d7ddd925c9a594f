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
class File:
    """One of those that the object was made of: where it ends in it, and its length, in seconds.

    One that `is_final` was closed by its writer, and holds all that was given to it; another was
    torn from a writer that was killed, and lacks what that held back.
    """

    name: str
    ends_at: float
    seconds: float
    is_final: bool


@dataclass(frozen=True)
class Stretch:
    """A part of the object that is of one kind: its place and length in seconds, its tracks.

    `tracks` are numbers of Matroska tracks, pictures before sound.
    """

    begins_at: float
    seconds: float
    tracks: tuple[int, ...]
    codecs: tuple[str, ...]  # Matroska's ids, of the tracks
    width: int | None = None  # of the pictures
    height: int | None = None


@dataclass(frozen=True)
class Delivery:
    """An object whose size and checksum the store confirmed; `duration` in seconds as probed.

    `files` are in the order of the object, empty where it was made by somebody who is gone.
    `stretches` tell where the source changed what it sent; empty where the object is one file
    as it grew. `drift` is how many seconds lie between the ends of its tracks; `troubles` are
    sentences about what was found wrong with it when it was played, none where all is well.
    """

    key: str
    size: int
    etag: str
    checksum: Checksum
    duration: float
    media: MediaInfo
    files: tuple[File, ...] = ()
    losses: tuple[Hole, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    drift: float | None = None
    troubles: tuple[str, ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether it can be played, as far as that was tried."""
        return not self.troubles
