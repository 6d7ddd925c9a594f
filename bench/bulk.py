"""A live HLS stream of many bytes, faster than real time: segments of one second, on a clock."""

from __future__ import annotations

import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe
from recorder.adapters.media.ffmpeg import Ffmpeg

READY = 3  # segments that are there when it begins
ENCODED = 4  # seconds that are encoded; all others repeat them, with clocks that go on


def make_segments(folder: Path, *, seconds: int, rate: int, length: int = 1) -> list[Path]:
    """Make segments of `length` seconds and `rate` bytes a second; return their files in order."""
    folder.mkdir(parents=True)
    ffmpeg, once = Ffmpeg(Path(get_ffmpeg_exe())), folder / "once.ts"
    bits = str(rate * 8)
    # Noise fills any bitrate; MPEG-2 takes a moment where H.264 takes minutes.
    size = "1920x1080" if rate > 2_000_000 else "640x360"
    noise = f"color=gray:size={size}:rate=25,noise=alls=100:allf=t+u"
    ffmpeg.run(
        [
            *("-loglevel", "error", "-f", "lavfi", "-i", noise),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
            *("-t", str(max(ENCODED, length)), "-c:v", "mpeg2video", "-g", "25"),
            *("-b:v", bits, "-minrate", bits, "-maxrate", bits, "-bufsize", bits),
            *("-c:a", "aac", "-f", "mpegts", str(once)),
        ]
    )
    ffmpeg.run(
        [
            *("-loglevel", "error", "-stream_loop", "-1", "-i", str(once), "-t", str(seconds)),
            *("-c", "copy", "-f", "hls", "-hls_time", str(length), "-hls_list_size", "0"),
            *("-hls_segment_filename", str(folder / "%06d.ts"), str(folder / "made.m3u8")),
        ]
    )
    once.unlink()
    return sorted(folder.glob("*.ts"))


class BulkStream:
    """Segments that appear one after the other, every `pace` seconds, once somebody listens."""

    def __init__(
        self, segments: list[Path], *, pace: float, length: int = 1, window: int | None = None
    ) -> None:
        self._segments = segments
        self._pace = pace
        self._length = length
        self._window = window
        self._published = READY
        self._waiting = threading.Event()
        self._stop = threading.Event()
        self.ended_at: float | None = None  # Unix time of the end mark
        self._server = self._listen()
        self._threads = [
            threading.Thread(target=self._server.serve_forever, daemon=True),
            threading.Thread(target=self._publish, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        """Where the playlist is."""
        return f"http://127.0.0.1:{self._server.server_port}/live.m3u8"

    @property
    def seconds(self) -> float:
        """Media that was published so far."""
        return float(self._published * self._length)

    @property
    def size(self) -> int:
        """Bytes that were published so far."""
        return sum(path.stat().st_size for path in self._segments[: self._published])

    def close(self) -> None:
        """End everything."""
        self._stop.set()
        self._waiting.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def playlist(self) -> str:
        """Return what is listed now."""
        first = max(0, self._published - self._window) if self._window else 0
        lines = [
            *("#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{self._length}"),
            f"#EXT-X-MEDIA-SEQUENCE:{first}",
        ]
        for path in self._segments[first : self._published]:
            lines += [f"#EXTINF:{self._length:.3f},", path.name]
        return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self.ended_at else []), ""])

    def _publish(self) -> None:
        self._waiting.wait()
        due = time.monotonic()
        while self._published < len(self._segments):
            due += self._pace
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            self._published += 1
        if not self._stop.wait(self._pace):
            self.ended_at = time.time()

    def _listen(self) -> http.server.ThreadingHTTPServer:
        stream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    if self.path == "/live.m3u8":
                        self._send("application/vnd.apple.mpegurl", stream.playlist())
                    else:
                        stream._waiting.set()
                        self._send_file(stream._segments[int(self.path[1:7])])
                except ConnectionError:
                    self.close_connection = True

            def _send(self, kind: str, text: str) -> None:
                self._head(kind, len(text))
                self.wfile.write(text.encode())

            def _send_file(self, path: Path) -> None:
                self._head("video/mp2t", path.stat().st_size)
                with path.open("rb") as file:
                    shutil.copyfileobj(file, self.wfile, 256 * 1024)

            def _head(self, kind: str, length: int) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(length))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return _Server(("127.0.0.1", 0), Handler)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A recorder that is stopped goes away in the middle."""


@contextmanager
def streaming(
    segments: list[Path], *, pace: float, length: int = 1, window: int | None = None
) -> Iterator[BulkStream]:
    """Serve a stream for the time of a `with` block."""
    stream = BulkStream(segments, pace=pace, length=length, window=window)
    try:
        yield stream
    finally:
        stream.close()
