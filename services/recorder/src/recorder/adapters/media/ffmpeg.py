"""Which ffmpeg, and with how little of our environment."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import imageio_ffmpeg

# ffmpeg needs nothing else of ours, credentials least of all. By the work folder a supervisor
# finds what a recorder that died has left behind.
_PASSED_ON = (
    "CHRONICLE_WORK_DIR",
    "LANG",
    "LC_ALL",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
)

NOTHING: Mapping[str, str] = MappingProxyType({})


class FfmpegFailed(Exception):
    """ffmpeg ended with an error; the message holds the last line that it said."""


class Ffmpeg:
    """The ffmpeg of this recorder: the packaged one, or the one at `path`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = str(path) if path is not None else str(imageio_ffmpeg.get_ffmpeg_exe())

    def start(
        self, arguments: Sequence[str], *, environment: Mapping[str, str] = NOTHING, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start it in a session of its own: a signal to our group must not end a recording."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return subprocess.Popen(
            [self.path, "-hide_banner", "-nostdin", *arguments],
            env={**passed_on, **environment},
            start_new_session=True,
            **options,
        )

    def run(
        self, arguments: Sequence[str], *, given: bytes = b"", timeout: float | None = None
    ) -> tuple[str, str]:
        """Run it to its end; return what it wrote to standard output and standard error.

        Raises `FfmpegFailed`; ends it when `timeout` seconds are over.
        """
        process = self.start(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            out, err = process.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise FfmpegFailed(f"ffmpeg did not end within {timeout:g} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        said = err.decode(errors="replace")
        if process.returncode != 0:
            raise FfmpegFailed(last_line(said) or f"ffmpeg ended with {process.returncode}")
        return out.decode(errors="replace"), said


def last_line(said: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
