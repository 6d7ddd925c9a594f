"""A sample live stream: HLS with a rolling window, made on the spot, served on 127.0.0.1.

A moving picture that shows its running time, and a tone that beeps once a second. The playlist
rolls and has no end mark until `end` is called. From the shell::

    python -m chronicle_local.sample --port 8099
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import imageio_ffmpeg
from chronicle_runtime import on_termination

from chronicle_local.static import FolderServer

PLAYLIST = "live.m3u8"
WINDOW = 15  # segments in the playlist
LONGEST = 2 * 60 * 60.0  # seconds: an encoder whose owner was killed ends by itself
BURST = 2  # segments that are there at once, so that nobody waits for the first


class SampleFailed(Exception):
    """The encoder did not bring up a playlist; the message holds the end of its log."""


class LiveSample:
    """A live stream of one's own: `start`, then `url`; `end` is its regular end, `close` all of it.

    `segment` is in seconds of media. With `port=0` a free port is taken. Not restartable.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        segment: float = 2.0,
        size: tuple[int, int] = (640, 360),
        rate: int = 25,
    ) -> None:
        self.segment = segment
        self._size = size
        self._rate = rate
        self.folder = Path(tempfile.mkdtemp(prefix="chronicle-sample-"))
        self._server = FolderServer(self.folder, port=port)
        self._encoder: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the playlist is."""
        return f"{self._server.url}/{PLAYLIST}"

    @property
    def encoder_pid(self) -> int:
        """The encoder's process, for whoever wants to watch or kill it."""
        assert self._encoder is not None, "start() comes first"
        return self._encoder.pid

    def start(self, *, timeout: float = 20.0) -> Self:
        """Start encoder and server; return once the playlist offers media.

        Raises `SampleFailed` when it does not within `timeout` seconds.
        """
        with (self.folder / "encoder.log").open("wb") as log:
            self._encoder = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self._server.start()
        playlist = self.folder / PLAYLIST
        deadline = time.monotonic() + timeout
        while not playlist.exists():
            if self._encoder.poll() is not None or time.monotonic() > deadline:
                tail = (self.folder / "encoder.log").read_bytes()[-1000:].decode(errors="replace")
                self.close()
                raise SampleFailed(f"the sample stream did not start within {timeout:g} s: {tail}")
            time.sleep(0.05)
        return self

    def end(self, *, timeout: float = 10.0) -> None:
        """End the stream as a broadcaster does: the last segment, then the end mark.

        Its playlist is served until `close`, so that whoever follows it sees the end.
        """
        encoder = self._encoder
        if encoder is None or encoder.poll() is not None:
            return
        assert encoder.stdin is not None
        encoder.stdin.write(b"q")  # ffmpeg's own key for "finish what is there"
        encoder.stdin.close()
        try:
            encoder.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Let the encoder die at once: the playlist freezes, with no end mark."""
        if self._encoder is not None and self._encoder.poll() is None:
            self._encoder.kill()
            self._encoder.wait()

    def close(self) -> None:
        """Stop encoder and server and remove the segments; safe to call twice."""
        self.kill()
        if self._encoder is not None and self._encoder.stdin is not None:
            self._encoder.stdin.close()
        self._server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _command(self) -> list[str]:
        width, height = self._size
        # testsrc2 burns a running clock and the frame number in by itself; drawtext needs a font.
        picture = f"testsrc2=size={width}x{height}:rate={self._rate}"
        sound = "sine=frequency=220:beep_factor=4:sample_rate=48000"
        # With a burst of its own for each of the two inputs the second could wait for the first,
        # so both are one filter graph, paced once.
        graph = f"{picture}[out0];{sound}[out1]"
        burst = ["-readrate", "1", "-readrate_initial_burst", f"{BURST * self.segment + 0.5:g}"]
        picture_codec = [
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
            *("-pix_fmt", "yuv420p", "-threads", "1", "-b:v", "600k", "-maxrate", "800k"),
            *("-bufsize", "800k", "-g", f"{round(self.segment * self._rate)}"),
            *("-force_key_frames", f"expr:gte(t,n_forced*{self.segment:g})"),
        ]
        sound_codec = ["-c:a", "aac", "-b:a", "64k"]
        playlist = [
            *("-f", "hls", "-hls_time", f"{self.segment:g}", "-hls_list_size", f"{WINDOW}"),
            # temp_file: a playlist or segment appears whole, under its name, or not at all.
            *("-hls_flags", "delete_segments+program_date_time+temp_file+independent_segments"),
            *("-hls_delete_threshold", "5"),
            *("-hls_segment_filename", f"{self.folder / 'segment-%05d.ts'}"),
        ]
        return [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "warning"),
            *burst,
            *("-f", "lavfi", "-i", graph, "-t", f"{LONGEST:g}"),
            *picture_codec,
            *sound_codec,
            *playlist,
            str(self.folder / PLAYLIST),
        ]


def main() -> None:
    """Serve a sample until SIGTERM or SIGINT, then end the stream and go."""
    parser = argparse.ArgumentParser(prog="chronicle_local.sample", description=__doc__)
    parser.add_argument("--port", type=int, default=8099, help="0 takes a free one (8099)")
    parser.add_argument("--segment", type=float, default=2.0, help="seconds of media (2)")
    arguments = parser.parse_args()
    stop: threading.Event = on_termination()
    with LiveSample(port=arguments.port, segment=arguments.segment) as sample:
        print(sample.url, flush=True)
        stop.wait(LONGEST)
        sample.end()


if __name__ == "__main__":
    main()
