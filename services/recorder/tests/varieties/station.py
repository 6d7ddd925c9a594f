"""A server of everything that the varieties need: files, byte ranges, playlists that go on."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

KINDS = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "ts": "video/mp2t",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "ogg": "application/ogg",
}
PACE = 0.2  # seconds after which there is a new segment: five times as fast as its media


@dataclass(frozen=True)
class Segment:
    """A segment in a playlist; `key` and `map` are the attributes that hold for it."""

    uri: str
    key: str = ""
    map: str = ""
    tags: tuple[str, ...] = ()
    discontinuity: bool = False
    duration: float = 1.0


class Clock:
    """Begins with the first segment that somebody fetches; playlists of one stream share it."""

    def __init__(self) -> None:
        self._began: float | None = None

    def start(self) -> None:
        self._began = self._began or time.monotonic()

    @property
    def passed(self) -> int:
        return 0 if self._began is None else int((time.monotonic() - self._began) / PACE)


@dataclass
class Playlist:
    """A rolling media playlist that ends after its last segment; whole from the start if VOD."""

    segments: Sequence[Segment]
    clock: Clock = field(default_factory=Clock)
    is_live: bool = True
    window: int = 64  # wide enough for a machine that stands still for a while
    ready: int = 3
    foot: str = ""
    number: int = 0  # of the first segment

    def text(self) -> str:
        last = min(len(self.segments), self.ready + self.clock.passed)
        first = max(0, last - self.window)
        if not self.is_live:
            first, last = 0, len(self.segments)
        lines = [
            *("#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:1"),
            f"#EXT-X-MEDIA-SEQUENCE:{first + self.number}",
            *([] if self.is_live else ["#EXT-X-PLAYLIST-TYPE:VOD"]),
        ]
        key = initial = ""
        for segment in self.segments[first:last]:
            if segment.discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.key != key:
                lines.append(f"#EXT-X-KEY:{segment.key}")
            if segment.map and (segment.map != initial or segment.discontinuity):
                lines.append(f"#EXT-X-MAP:{segment.map}")
            key, initial = segment.key, segment.map
            lines += [*segment.tags, f"#EXTINF:{segment.duration:.3f},", segment.uri]
        over = last == len(self.segments)
        return "\n".join([*lines, "#EXT-X-ENDLIST" if over else self.foot, ""])


class Station:
    """Serves `files` (path -> bytes) and `pages` (path -> made anew for each request).

    `clocks` (beginning of a path -> clock) are started by a fetch of a file below.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.pages: dict[str, Callable[[], str]] = {}
        self.streams: dict[str, Callable[[http.server.BaseHTTPRequestHandler], None]] = {}
        self.clocks: dict[str, Clock] = {}
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, folder: str, media: Sequence[bytes], ending: str) -> list[str]:
        """Offer files below a folder; return their names."""
        names = [f"{number}.{ending}" for number in range(len(media))]
        self.files |= {f"/{folder}/{name}": data for name, data in zip(names, media, strict=True)}
        return names

    def play(self, path: str, playlist: Playlist) -> str:
        """Offer a playlist; return its URL."""
        self.pages[f"/{path}"] = playlist.text
        self.clocks[f"/{path}".rpartition("/")[0] + "/"] = playlist.clock
        return f"{self.url}/{path}"

    def start_clocks(self, path: str) -> None:
        for folder, clock in self.clocks.items():
            if path.startswith(folder):
                clock.start()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        station = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path in station.streams:
                    with contextlib.suppress(OSError):  # whoever listened has heard enough
                        station.streams[path](self)
                elif path in station.pages:
                    self.answer(200, station.pages[path]().encode())
                elif path in station.files:
                    station.start_clocks(path)
                    self.answer_range(station.files[path])
                else:
                    self.answer(404, b"")

            def answer_range(self, body: bytes) -> None:
                asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if asked is None:
                    return self.answer(200, body)
                first, last = int(asked[1]), int(asked[2] or len(body) - 1)
                said = f"bytes {first}-{last}/{len(body)}"
                return self.answer(206, body[first : last + 1], content_range=said)

            def answer(self, status: int, body: bytes, content_range: str = "") -> None:
                self.send_response(status)
                ending = self.path.partition("?")[0].rpartition(".")[2]
                self.send_header("Content-Type", KINDS.get(ending, "application/octet-stream"))
                self.send_header("Content-Length", str(len(body)))
                if content_range:
                    self.send_header("Content-Range", content_range)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
