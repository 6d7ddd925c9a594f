"""The stream behind a URL, as far as a recorder must know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Stream:
    """Where media comes from; with `audio_url` sound comes apart."""

    protocol: Literal["hls", "dash", "http", "ytdlp"]
    live_status: Literal["live", "upcoming", "finished", "unknown"]
    media_url: str | None
    audio_url: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    title: str | None = None
    format_id: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is something to fetch."""
        return self.media_url is not None and self.live_status != "upcoming"
