"""The URL of the job, looked at by the sources library."""

from __future__ import annotations

import structlog
from chronicle_sources import Credentials, SourceError, resolve

from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream

log = structlog.get_logger(__name__)


class ResolvedSite:
    """Implements `ports.Site` with yt-dlp in a child process."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        quality: str | None,
        max_height: int | None,
        audio_only: bool,
        live_from_start: bool,
        credentials: Credentials,
        allow_private: bool,
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._quality = quality
        self._max_height = max_height
        self._audio_only = audio_only
        self._credentials = credentials
        self._live_from_start = live_from_start
        self._allow_private = allow_private

    def look(self) -> Stream:
        """Resolve the URL."""
        try:
            found = resolve(
                self._url,
                timeout=self._timeout,
                quality=self._quality,
                max_height=self._max_height,
                audio_only=self._audio_only,
                credentials=self._credentials,
                live_from_start=self._live_from_start,
                allow_private=self._allow_private,
            )
        except SourceError as error:
            raise SourceProblem(error.code, error.detail) from error
        log.info(
            "resolved", site=found.site, live_status=found.live_status, protocol=found.protocol
        )
        return Stream(
            protocol=found.protocol,
            live_status=found.live_status,
            media_url=found.media_url,
            audio_url=found.audio_url,
            headers=found.headers,
            cookies=found.cookies,
            expires_at=found.expires_at,
            height=found.height,
            title=found.title,
            format_id=found.format_id,
        )
