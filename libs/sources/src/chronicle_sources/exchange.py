"""What parent and child say to each other: one JSON request in, one JSON answer out."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator

from chronicle_sources.credentials import Credentials
from chronicle_sources.errors import SourceCode
from chronicle_sources.resolution import Resolution


class Request(BaseModel):
    """What to resolve; it goes in on standard input, so no URL stands in the process list."""

    model_config = ConfigDict(frozen=True)

    url: str
    quality: str | None = None
    max_height: int | None = None
    audio_only: bool = False
    credentials: Credentials = Credentials()
    live_from_start: bool = False
    allow_private: bool = False
    socket_timeout: float = 10.0


class Answer(BaseModel):
    """A resolution, or a code with a sentence."""

    model_config = ConfigDict(frozen=True)

    resolution: Resolution | None = None
    code: SourceCode | None = None
    detail: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Answer:
        if (self.resolution is None) == (self.code is None):
            raise ValueError("an answer holds either a resolution or a code")
        return self


class DownloadRequest(BaseModel):
    """What the child that fetches is to fetch: one track of what `request` resolves to.

    `quality` of the request is the format that was chosen; fragments up to `after` are left out.
    """

    model_config = ConfigDict(frozen=True)

    request: Request
    track: int = 0
    after: int | None = None
