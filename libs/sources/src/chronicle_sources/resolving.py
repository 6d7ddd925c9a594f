"""Resolving a URL in a child process that is killed with all it started at the time limit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from pydantic import ValidationError

from chronicle_sources import guard
from chronicle_sources.credentials import Credentials
from chronicle_sources.errors import SourceError, shown, without_secrets
from chronicle_sources.exchange import Answer, Request
from chronicle_sources.resolution import Resolution

# Everything else stays out of the child: credentials above all, and proxies, which would be
# asked to fetch in its place and could reach what the guard refuses.
# By the work folder a supervisor finds what a recorder that died has left behind.
_PASSED_ON = (
    "CHRONICLE_WORK_DIR",
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
)


def resolve(
    url: str,
    *,
    timeout: float,
    quality: str | None = None,
    max_height: int | None = None,
    audio_only: bool = False,
    live_from_start: bool = False,
    credentials: Credentials | None = None,
    allow_private: bool = False,
) -> Resolution:
    """Return what stands behind a URL; takes about a second, at most `timeout` seconds.

    `max_height` is in lines. The headers of `credentials` go to the host of the URL only, its
    cookies where they belong. Raises `SourceError`.
    """
    guard.check(url, allow_private=allow_private)
    request = Request(
        url=url.strip(),
        quality=quality,
        max_height=max_height,
        audio_only=audio_only,
        credentials=credentials or Credentials(),
        live_from_start=live_from_start,
        allow_private=allow_private,
        socket_timeout=max(1.0, min(10.0, timeout / 2)),
    )
    raw, complaint = _ask_child(request, timeout)
    try:
        answer = Answer.model_validate_json(raw)
    except ValidationError:
        last = without_secrets(complaint.strip().rpartition("\n")[2][:300])
        raise SourceError(
            "unsupported", f"Looking at {shown(url)} failed inside yt-dlp: {last or 'no answer'}."
        ) from None
    if answer.resolution is None:
        assert answer.code is not None
        raise SourceError(answer.code, answer.detail)
    return answer.resolution


def environment() -> dict[str, str]:
    """Return what a child that runs yt-dlp sees of our environment."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, "YTDLP_NO_PLUGINS": "1"}


def _ask_child(request: Request, limit: float) -> tuple[bytes, str]:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "chronicle_sources.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    try:
        out, err = child.communicate(request.model_dump_json().encode(), timeout=limit)
    except subprocess.TimeoutExpired:
        raise SourceError(
            "timeout", f"{shown(request.url)} gave no answer within {limit:g} seconds."
        ) from None
    finally:
        # The group, not the child: it may have started a JavaScript runtime.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    if child.returncode < 0 and not out:
        # By somebody, or because memory ran out: that says nothing about the URL.
        killed = signal.Signals(-child.returncode).name
        raise SourceError("timeout", f"What looked at {shown(request.url)} was killed ({killed}).")
    return out, err.decode(errors="replace")
