"""The URL of the job, looked at by the sources library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

import structlog
from chronicle_sources import Credentials, Resolution, SourceError, resolve
from chronicle_sources.handover import Handover
from pydantic import ValidationError

from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream

log = structlog.get_logger(__name__)


def read_handover(file: BinaryIO) -> Handover | None:
    """Return the look that whoever launched us took; None where it makes no sense."""
    try:
        return Handover.model_validate_json(file.read())
    except (OSError, ValidationError) as error:
        # Not what it says: that holds what it could not read.
        log.warning("handover_unreadable", error=type(error).__name__)
        return None


class ResolvedSite:
    """Implements `ports.Site` with yt-dlp in a child process.

    The first look is the one that was `given`, as long as that is fresh.
    """

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
        given: Handover | None = None,
    ) -> None:
        self._given = given
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
        given, self._given = self._given, None
        is_given = given is not None and given.is_fresh(datetime.now(UTC))
        found = given.found if given is not None and is_given else self._resolved()
        log.info(
            "resolved",
            site=found.site,
            live_status=found.live_status,
            protocol=found.protocol,
            was_given=is_given,
        )
        return _stream(found)

    def _resolved(self) -> Resolution:
        try:
            return resolve(
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


def _stream(found: Resolution) -> Stream:
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
