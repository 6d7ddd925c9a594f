"""Live DASH: ffmpeg fetches it (version 9; older ones repeat segments and never end).

It fetches through our relay on loopback, and what it fetches leaves it as MPEG-TS, so that
the remuxer goes on over its restarts. The relay is its proxy as well: an address in a manifest
that was not led through the relay (there are many ways to spell one) ends there, refused.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading

from requests import Session

from recorder.adapters.access import Access
from recorder.adapters.fetching import Fetcher, Sink
from recorder.adapters.ffmpeg import Ffmpeg, last_line
from recorder.adapters.loopback import Loopback
from recorder.adapters.vetted_http import protect
from recorder.ports import FetchEnd

CHUNK = 64 * 1024
_UNKNOWN = "matches no streams"  # what ffmpeg says of a representation that it does not find

# What segments may be: media, never a list of further places (see `container`).
_FORMATS = "dash,mov,mp4,mpegts,matroska,webm"


class DashFetcher(Fetcher):
    """An ffmpeg per manifest; `is_film` says that a regular end is the end of the source.

    `format_id` is yt-dlp's choice among the representations; without it the best are taken.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        url: str,
        sink: Sink,
        *,
        access: Access,
        is_film: bool,
        format_id: str | None = None,
    ) -> None:
        super().__init__(sink, "dash")
        self._maps = _maps(format_id)
        self._ffmpeg = ffmpeg
        self._url = url
        self._is_film = is_film
        self._session = Session()
        protect(self._session, access)

    def _fetch(self) -> FetchEnd:
        relay = Loopback(self._session, self._url)
        try:
            end = self._run_ffmpeg(relay)
            if self._maps and _UNKNOWN in end.detail:
                self._maps = []  # ffmpeg takes the best
                end = self._run_ffmpeg(relay)
            return end
        finally:
            relay.close()

    def _run_ffmpeg(self, relay: Loopback) -> FetchEnd:
        process = self._ffmpeg.start(
            [
                *("-nostats", "-loglevel", "error"),
                # A live one is asked for segments before they are there without it.
                *([] if self._is_film else ["-re"]),
                *("-protocol_whitelist", "pipe,http,tcp", "-format_whitelist", _FORMATS),
                *("-f", "dash", "-i", relay.start_url),
                *(*self._maps, "-c", "copy", "-f", "mpegts", "pipe:1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            environment={"http_proxy": relay.address},
        )
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
            while data := os.read(process.stdout.fileno(), CHUNK):
                self._sink.write(data)
        finally:
            _end(process)
            listener.join(2)
        if process.returncode == 0 and self._is_film:
            return FetchEnd("ended", "the source was received to its end")
        # Its messages name our relay's addresses, which would tell nobody anything.
        detail = last_line("".join(said)).partition("http://127.0.0.1")[0]
        return FetchEnd("broken", relay.trouble or detail or "the stream broke off")

    def _end_when_stopped(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if self._stop.wait(0.5):
                _end(process)


def _maps(format_id: str | None) -> list[str]:
    """Return ffmpeg's arguments for the representations that make a format of yt-dlp."""
    chosen = [one.removeprefix("dash-") for one in (format_id or "").split("+") if one]
    return [part for one in chosen for part in ("-map", f"0:m:id:{one}")]


def _end(process: subprocess.Popen[bytes]) -> None:
    # What it has written is with us; it has no trailer to lose.
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
