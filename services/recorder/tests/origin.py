"""A live HLS origin with faults: real segments, a rolling playlist, a clock of its own.

The segments are made once; the origin offers one more of them every `pace` seconds, so a test
runs faster than its media. What was fetched can be compared with what there was, byte by byte.
"""

from __future__ import annotations

import http.server
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import imageio_ffmpeg
from recorder.adapters.media.ffmpeg import Ffmpeg

HLS = "application/vnd.apple.mpegurl"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=320x180\n"


def make_segments(folder: Path, count: int, *, kinds: str = "va") -> list[bytes]:
    """Encode `count` segments of one second: picture (v), sound (a), or both."""
    inputs, codecs = [], []
    if "v" in kinds:
        inputs += ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]
        codecs += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:v", "200k"]
        codecs += ["-pix_fmt", "yuv420p", "-force_key_frames", "expr:gte(t,n_forced)"]
    if "a" in kinds:
        inputs += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
        codecs += ["-c:a", "aac", "-b:a", "64k"]
    Ffmpeg(Path(imageio_ffmpeg.get_ffmpeg_exe())).run(
        [
            *("-loglevel", "error", *inputs, "-t", str(count), *codecs),
            *("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_segment_filename"),
            *(str(folder / f"{kinds}%03d.ts"), str(folder / "x.m3u8")),
        ]
    )
    return [path.read_bytes() for path in sorted(folder.glob(f"{kinds}*.ts"))]


class Origin:
    """Serves `tracks` (name -> segments) as `/<name>.m3u8`; faults are set as attributes.

    Its clock starts with the first request for a segment: until then `ready` of them are there.
    """

    def __init__(
        self,
        tracks: dict[str, list[bytes]],
        *,
        pace: float = 0.15,
        window: int = 60,  # wide enough for a machine that stands still for a while
        ready: int = 4,
    ) -> None:
        self.tracks = tracks
        self.pace = pace
        self.window = window
        self.pages: dict[str, tuple[int, str, str]] = {}
        self.playlist_status = 200
        self.missing: set[int] = set()
        self.refused: set[int] = set()
        self.is_mute = False
        self.lifetime: float | None = (
            None  # seconds for which an address works: `master` tells new ones
        )
        self.has_ended = False
        self.restarted_at: int | None = None  # segments before it are gone, it has number 0
        self._frozen_at: int | None = None
        self._ready = ready
        self._began: float | None = None
        self._server = self._listen(0)
        self.port = self._server.server_port

    def url(self, path: str = "live.m3u8") -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def newest(self) -> int:
        """The number of the newest segment that is offered, counted from 0 since the start."""
        if self._frozen_at is not None:
            return self._frozen_at
        since = 0.0 if self._began is None else time.monotonic() - self._began
        return min(self._longest, self._ready + int(since / self.pace)) - 1

    @property
    def _longest(self) -> int:
        return min(len(segments) for segments in self.tracks.values())

    @staticmethod
    def made_at(number: int) -> datetime:
        """When a segment was made, by the date that the playlist gives to its first one."""
        return datetime(2026, 11, 21, 10, tzinfo=UTC) + timedelta(seconds=number)

    def wait_for(self, number: int) -> None:
        """Return when the origin offers a segment."""
        assert number < self._longest, "the origin has no more segments"
        while self.newest < number:
            time.sleep(0.02)

    def end(self) -> None:
        """Mark the end of the stream after the newest segment."""
        self._frozen_at = self.newest
        self.has_ended = True

    def freeze(self) -> None:
        """Offer nothing new, and no end mark."""
        self._frozen_at = self.newest

    def restart(self) -> None:
        """Count anew: the next segment has the number 0, in a playlist of its own."""
        self.restarted_at = self.newest + 1
        # A new encoder needs a moment for its first segment.
        self.wait_for(self.restarted_at)

    def refuse_connections(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def listen_again(self) -> None:
        """Listen at the same port."""
        self._server = self._listen(self.port)

    def close(self) -> None:
        self.is_mute = False
        self.refuse_connections()

    def _listen(self, port: int) -> http.server.ThreadingHTTPServer:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        server.daemon_threads = True
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return server

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, type and body for a path."""
        while self.is_mute:
            time.sleep(0.05)
        if path == "/master.m3u8" and path not in self.pages:
            expires = int(time.time() + (self.lifetime or 0))
            return 200, HLS, f"{MASTER}live.m3u8?expires={expires}\n".encode()
        if path in self.pages:
            status, kind, text = self.pages[path]
            return status, kind, text.encode()
        if found := re.fullmatch(r"/(\w+)\.m3u8", path):
            if self.playlist_status != 200 or found[1] not in self.tracks:
                return self.playlist_status if found[1] in self.tracks else 404, "text/plain", b""
            return 200, HLS, self._playlist(found[1]).encode()
        if found := re.fullmatch(r"/(\w+)/(?:\d+-)?(\d+)\.ts", path):
            number = int(found[2])
            self._began = self._began or time.monotonic()
            if number in self.missing:
                return 404, "text/plain", b""
            if number in self.refused:
                return 403, "text/plain", b""
            return 200, "video/mp2t", self.tracks[found[1]][number]
        return 404, "text/plain", b""

    def _playlist(self, track: str) -> str:
        newest = self.newest
        first = max(0, newest - self.window + 1)
        count, again = 0, ""
        if self.restarted_at is not None:
            first = max(first, self.restarted_at)
            count, again = self.restarted_at, "1-"
        numbers = range(first, newest + 1)
        dated = f"#EXT-X-PROGRAM-DATE-TIME:{self.made_at(first):%Y-%m-%dT%H:%M:%S.000Z}\n"
        dated += (
            '#EXT-X-DATERANGE:ID="ad-1",CLASS="com.example.ad",PLANNED-DURATION=30,'
            'START-DATE="2026-11-21T10:00:05Z",SCTE35-OUT=0xFC30,X-AD-ID="7"\n'
        )
        lines = "".join(f"#EXTINF:1.0,\n{track}/{again}{one}.ts\n" for one in numbers)
        end = "#EXT-X-ENDLIST\n" if self.has_ended else ""
        return (
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n"
            f"#EXT-X-MEDIA-SEQUENCE:{first - count}\n{dated}{lines}{end}"
        )

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                status, kind, body = origin.answer(path)
                if query and int(query.partition("=")[2]) < time.time():
                    status, body = 403, b""
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
