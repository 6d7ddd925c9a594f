"""The peers of the fault benchmark: command lines that record a live stream into a file."""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

# One of them may unpack a gibibyte and split it into lines; the machine is not theirs alone.
MOST_MEMORY = 2 << 30


class Peer:
    """Implements `tests.faults.trial.Recorder` for a command that ends with the stream's URL."""

    def __init__(self, folder: Path, command: list[str], file: str) -> None:
        self.recording = folder / file
        self._folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)

    def launch(self, url: str) -> None:
        """Begin to record."""
        with (self._folder / "log").open("wb") as log:
            # A session of its own: yt-dlp's ffmpeg would outlive it and record on.
            self._process = subprocess.Popen(
                [part.replace("URL", url) for part in self._command],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        resource.prlimit(self._process.pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))

    def has_begun(self) -> bool:
        """Whether there is something in its file; or it ended, and there never will be."""
        assert self._process is not None
        is_over = self._process.poll() is not None
        return is_over or (self.recording.exists() and self.recording.stat().st_size > 0)

    def wait(self, timeout: float) -> int | None:
        """Wait for it to end by itself; else stop it as a person would, then for good."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return None

    def said_lost(self) -> float | None:
        """None of them says what is missing."""
        return None


def peers(folder: Path) -> dict[str, Peer]:
    """Return the peers by name, each told to be as patient as its manual knows how."""
    ffmpeg = get_ffmpeg_exe()
    again = [
        *("-reconnect", "1", "-reconnect_streamed", "1", "-reconnect_on_network_error", "1"),
        *("-reconnect_on_http_error", "4xx,5xx", "-reconnect_delay_max", "60"),
    ]
    streamlink = [
        *(sys.executable, "-m", "streamlink", "--no-config", "--retry-open", "5"),
        # More attempts at segments would stop everything behind one that is gone for good.
        *("--hls-playlist-reload-attempts", "60", "--stream-segment-attempts", "5"),
        *("--stream-segmented-queue-deadline", "0", "--stream-timeout", "180"),
        *("-o", "out.ts", "URL", "best"),
    ]
    ytdlp = [
        *(sys.executable, "-m", "yt_dlp", "--ignore-config", "--no-part", "--hls-use-mpegts"),
        *("--retries", "infinite", "--fragment-retries", "infinite"),
        *("--downloader-args", f"ffmpeg_i:{shlex.join(again)}"),
        *("--ffmpeg-location", ffmpeg, "-o", "out.ts", "URL"),
    ]
    plain = [
        *(ffmpeg, "-nostdin", *again, "-seg_max_retry", "5", "-i", "URL"),
        *("-map", "0:v:0", "-map", "0:a:0", "-c", "copy", "out.mkv"),
    ]
    return {
        "streamlink": Peer(folder / "streamlink", streamlink, "out.ts"),
        "yt-dlp": Peer(folder / "yt-dlp", ytdlp, "out.ts"),
        "ffmpeg": Peer(folder / "ffmpeg", plain, "out.mkv"),
    }
