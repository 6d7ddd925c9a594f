"""The stream behind a URL, as far as a recorder must know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Stream:
    """Where media comes from; with `audio_url` sound comes apart.

    `is_rest` asks for no more than what follows on what is saved: the stream is over, and what
    the site offers under its name may be all of it again.
    """

    protocol: Literal["hls", "dash", "http", "ytdlp"]
    live_status: Literal["live", "upcoming", "finished", "unknown"]
    media_url: str | None
    audio_url: str | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    cookies: str = field(default="", repr=False)
    expires_at: datetime | None = None
    title: str | None = None
    format_id: str | None = None
    height: int | None = None
    is_rest: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is something to fetch."""
        return self.media_url is not None and self.live_status != "upcoming"
