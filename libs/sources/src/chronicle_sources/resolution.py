"""What resolving a URL finds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chronicle_sources.credentials import MOST_COOKIES, MOST_HEADERS
from chronicle_sources.expiry import expires_at
from chronicle_sources.plain_text import plain

LiveStatus = Literal["live", "upcoming", "finished", "unknown"]
Protocol = Literal["hls", "dash", "http", "ytdlp"]

# Pages of sites are titled with less; what is longer is meant to fill something.
LONGEST_TITLE = 300
LONGEST_NAME = 100  # characters of a site, a format, a codec

Title = Annotated[str, AfterValidator(lambda text: plain(text, LONGEST_TITLE))]
Name = Annotated[str, AfterValidator(lambda text: plain(text, LONGEST_NAME))]


class Resolution(BaseModel):
    """A stream behind a URL, and how to fetch it.

    `media_url` is None as long as there is nothing to fetch (`live_status` is "upcoming").
    With `audio_url` sound and picture come apart; `protocol` "ytdlp" means that only yt-dlp's
    own downloaders can fetch it. `headers` are to be sent with every request for media,
    `cookies` (a Netscape cookie file, those of the job among them) to where each belongs.
    """

    model_config = ConfigDict(frozen=True)

    title: Title | None = None
    site: Name | None = None
    live_status: LiveStatus = "unknown"
    release_at: datetime | None = None
    protocol: Protocol = "http"
    media_url: str | None = None
    audio_url: str | None = None
    headers: dict[str, str] = Field(default_factory=dict, max_length=MOST_HEADERS)
    cookies: str = Field(default="", max_length=MOST_COOKIES, repr=False)
    format_id: Name | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    video_codec: Name | None = None
    audio_codec: Name | None = None

    def with_cookies(self, cookies: str) -> Resolution:
        """Return it with the cookies that its site gave (none of them where they are too many)."""
        return self.model_copy(update={"cookies": cookies if len(cookies) <= MOST_COOKIES else ""})

    @property
    def expires_at(self) -> datetime | None:
        """When the first of its addresses expires, as far as they say it."""
        known = [expires_at(url) for url in (self.media_url, self.audio_url) if url]
        return min((moment for moment in known if moment), default=None)
