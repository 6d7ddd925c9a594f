"""What resolving a URL finds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LiveStatus = Literal["live", "upcoming", "finished", "unknown"]
Protocol = Literal["hls", "dash", "http", "ytdlp"]


class Resolution(BaseModel):
    """A stream behind a URL, and how to fetch it.

    `media_url` is None as long as there is nothing to fetch (`live_status` is "upcoming").
    With `audio_url` sound and picture come apart; `protocol` "ytdlp" means that only yt-dlp's
    own downloaders can fetch it. `headers` are to be sent with every request for media.
    """

    model_config = ConfigDict(frozen=True)

    title: str | None = None
    site: str | None = None
    live_status: LiveStatus = "unknown"
    release_at: datetime | None = None
    protocol: Protocol = "http"
    media_url: str | None = None
    audio_url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    format_id: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
