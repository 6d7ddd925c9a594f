"""Requests as people make them, and what is checked before one becomes a job."""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from chronicle_contracts import naming
from chronicle_contracts.portal import JobRequested
from chronicle_sources import Credentials, SourceError, guard

from portal.jobs.errors import BadRequest

LONGEST_URL = 2048
LONGEST_QUALITY = 200
LOWEST_PICTURE = 16  # lines; what is lower is a slip


@dataclass(frozen=True)
class JobRequest:
    """What is to be recorded.

    `max_duration` in media seconds, `max_height` in lines, `start_at` with a zone;
    `credentials` are what the recorder may show at the site.
    """

    url: str
    id: str | None = None
    filename: str | None = None
    quality: str | None = None
    live_from_start: bool = False
    max_duration: float | None = None
    start_at: datetime | None = None
    requested_by: str | None = None
    audio_only: bool = False
    max_height: int | None = None
    credentials: Credentials | None = field(default=None, repr=False)

    def job_id(self) -> str:
        """Return the id that was chosen, or a new one."""
        return self.id or uuid4().hex

    def as_fact(self, job_id: str, *, at: datetime, credentials: str | None = None) -> JobRequested:
        """Return the fact; file name and key are decided here, once.

        `credentials` is the name under which the vault keeps them.
        """
        url = self.url.strip()
        stem = naming.slug((self.filename or _name_of(url)).removesuffix(naming.RECORDING_SUFFIX))
        filename = stem + naming.RECORDING_SUFFIX
        return JobRequested(
            url=url,
            key=naming.recording_key(job_id, filename, at),
            filename=filename,
            quality=self.quality or None,
            live_from_start=self.live_from_start,
            max_duration=self.max_duration,
            start_at=self.start_at,
            requested_by=self.requested_by,
            credentials=credentials,
            audio_only=self.audio_only,
            max_height=self.max_height,
        )


def check(request: JobRequest, *, allow_private: bool) -> None:
    """Return if the request can become a job; raises `BadRequest` with the field's name."""
    if request.id is not None and not naming.is_job_id(request.id):
        raise BadRequest(
            "bad_id",
            f"{request.id[:80]!r} cannot be a job id: give a letter or digit, then up to 63 "
            "letters, digits, '-' or '_'.",
            field="id",
        )
    if request.max_duration is not None:
        check_duration(request.max_duration)
    if request.max_height is not None and request.max_height < LOWEST_PICTURE:
        raise BadRequest(
            "bad_max_height",
            f"max_height is {request.max_height}: give {LOWEST_PICTURE} lines or more.",
            field="max_height",
        )
    if request.start_at is not None and request.start_at.tzinfo is None:
        raise BadRequest(
            "bad_start_at",
            "start_at needs a zone; write it as 2026-01-31T12:00:00Z.",
            field="start_at",
        )
    if request.quality is not None and len(request.quality) > LONGEST_QUALITY:
        raise BadRequest(
            "bad_quality", f"quality has more than {LONGEST_QUALITY} characters.", field="quality"
        )
    _check_url(request.url, allow_private=allow_private)


def check_duration(seconds: float) -> None:
    """Return if a recording may be limited to so many seconds; raises `BadRequest`."""
    if not (math.isfinite(seconds) and seconds > 0):
        raise BadRequest(
            "bad_max_duration",
            f"max_duration is {seconds}: give a number of seconds above 0, or leave it out.",
            field="max_duration",
        )


def _check_url(url: str, *, allow_private: bool) -> None:
    if len(url) > LONGEST_URL or not url.isprintable():
        raise BadRequest(
            "bad_url",
            f"The URL has more than {LONGEST_URL} characters, or some that no URL has.",
            field="url",
        )
    try:
        guard.check(url, allow_private=allow_private, lookup=_without_asking)
    except SourceError as error:
        if error.code != "unreachable":  # a name: whoever launches the job looks it up
            raise BadRequest(error.code, error.detail, field="url") from error


def _without_asking(host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
    """Look up addresses written as numbers and this machine's own name, nothing else.

    Asking a name server may take seconds, and it is done again before the launch anyhow.
    """
    own = host.rstrip(".").lower()
    if own == "localhost" or own.endswith(".localhost"):
        host = "127.0.0.1"
    return list(socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **options))


def _name_of(url: str) -> str:
    """Return a name for a recording that was given none: the site and the end of the path."""
    parts = urlsplit(url)
    last = parts.path.rstrip("/").rpartition("/")[2].rpartition(".")
    return f"{parts.hostname or 'recording'}-{last[0] or last[2]}".strip("-")
