"""What the media of a track stands on, beside its bytes: where a new file would have to begin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A stretch of one track that one demuxer can read.

    `head` is what each file must begin with (fMP4's initialization section); `begins_at` is
    the time in seconds of media that holds no time itself (packed audio).
    """

    head: bytes = b""
    begins_at: float | None = None


@dataclass(frozen=True)
class Input:
    """A track as the remuxer reads it: ffmpeg's name of its container (None: it finds out)."""

    container: str | None
    begins_at: float | None = None
