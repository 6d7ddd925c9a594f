"""Live DASH: ffmpeg fetches it (version 9; older ones repeat segments and never end).

What it fetches leaves it as MPEG-TS, so that the remuxer goes on over its restarts. Its
addresses are vetted only once, before it starts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading

from chronicle_sources.errors import without_secrets

from recorder.adapters.fetching import Fetcher, Sink
from recorder.adapters.ffmpeg import Ffmpeg, last_line
from recorder.ports import FetchEnd

CHUNK = 64 * 1024


class DashFetcher(Fetcher):
    """An ffmpeg per manifest; `is_film` says that a regular end is the end of the source."""

    def __init__(
        self, ffmpeg: Ffmpeg, url: str, sink: Sink, *, headers: dict[str, str], is_film: bool
    ) -> None:
        super().__init__(sink, "dash")
        self._ffmpeg = ffmpeg
        self._script = _script(url, headers)
        self._is_film = is_film

    def _fetch(self) -> FetchEnd:
        process = self._ffmpeg.start(
            [
                *("-nostats", "-loglevel", "error", "-re"),
                *("-protocol_whitelist", "pipe,http,https,tcp,tls,crypto"),
                # The address comes in by the pipe: it may hold a secret, and every process of
                # this machine can read an argument list.
                *("-f", "concat", "-safe", "0", "-i", "pipe:0"),
                *("-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", "mpegts", "pipe:1"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        complaints = process.stderr
        listener = threading.Thread(
            target=lambda: said.extend(line.decode(errors="replace") for line in complaints),
            daemon=True,
        )
        watcher = threading.Thread(target=self._end_when_stopped, args=(process,), daemon=True)
        listener.start()
        watcher.start()
        try:
            process.stdin.write(self._script.encode())
            process.stdin.close()
            while data := os.read(process.stdout.fileno(), CHUNK):
                self._sink.write(data)
        finally:
            self._kill(process)
            listener.join(2)
        if process.returncode == 0 and self._is_film:
            return FetchEnd("ended", "the source was received to its end")
        return FetchEnd("broken", without_secrets(last_line("".join(said))) or "the stream ended")

    def _end_when_stopped(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if self._stop.wait(0.5):
                self._kill(process)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        # What it has written is with us; it has no trailer to lose.
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _script(url: str, headers: dict[str, str]) -> str:
    sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    lines = ["ffconcat version 1.0", f"file {_quoted(url)}"]
    if sent:
        lines.append(f"option headers {_quoted(sent)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
