"""The remuxer: an ffmpeg that reads media from pipes and writes a growing Matroska file.

Closing the pipes always finalises the file, even when it is the death of this process that
closes them. It never touches the network.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from chronicle_contracts.recorder import MediaInfo

from recorder.adapters.feeding.pipes import wide_pipe
from recorder.adapters.feeding.progress import Progress, Report
from recorder.adapters.feeding.remuxer_lock import RemuxerLock
from recorder.adapters.media.container import MEDIA_FORMATS
from recorder.adapters.media.ffmpeg import Ffmpeg, last_line
from recorder.adapters.media.info import media_info
from recorder.adapters.media.section import Input

log = structlog.get_logger(__name__)

FINALISE_WITHIN = 30.0  # seconds; the trailer and the cues take well under one
LONGEST_SILENCE = 1.0  # seconds of media between two words of how far it is
_KEPT = 16_000  # characters of what ffmpeg said


class Remuxer:
    """One file being written, from `inputs`, one for each track.

    `write` may be called from one thread per track. Without `with_pictures` only the sound of
    the media is written.
    """

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        path: Path,
        inputs: Sequence[Input],
        lock: RemuxerLock,
        *,
        with_pictures: bool = True,
    ) -> None:
        self.path = path
        self._said = ""
        self._media: MediaInfo | None = None
        self._first: float | None = None
        self._out_time = 0.0
        self._taken = [0 for _ in inputs]  # bytes, of each track
        self._taken_by_then = 0  # when it said last how far it is
        self._is_apart = len(inputs) > 1
        pairs = [wide_pipe() for _ in inputs]
        progress, told = wide_pipe()
        readers = [reader for reader, _ in pairs]
        with lock.held_by_child() as held:
            self._process = ffmpeg.start(
                _arguments(readers, inputs, told, path, with_pictures=with_pictures),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(*readers, told, held),
            )
        for descriptor in (*readers, told):
            os.close(descriptor)
        self._inputs = [os.fdopen(writer, "wb", buffering=0) for _, writer in pairs]
        self._counting = threading.Lock()
        self._progress = Progress(progress)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def media_seconds(self) -> float:
        """Seconds of media that were written, by ffmpeg's own count."""
        self._heed()
        return self._out_time

    @property
    def seconds_given(self) -> float:
        """Seconds of media that it has taken, counted by bytes since it said how many it wrote.

        No more than `LONGEST_SILENCE`: what comes in bursts is counted better by whoever gives it.
        """
        self._heed()
        if not self._taken_by_then:
            return self._out_time
        seconds = self._out_time * sum(self._taken) / self._taken_by_then
        return min(seconds, self._out_time + LONGEST_SILENCE)

    @property
    def was_killed(self) -> bool:
        """Whether it has ended without finalising its file."""
        return (self._process.returncode or 0) < 0

    @property
    def bytes_written(self) -> int:
        """Size of the file."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def media(self) -> MediaInfo | None:
        """What the media is made of; None until ffmpeg knows."""
        return self._media

    @property
    def complaint(self) -> str:
        """The last line that ffmpeg said."""
        return last_line(self._said)

    @property
    def is_alive(self) -> bool:
        """Whether ffmpeg runs."""
        return self._process.poll() is None

    def write(self, track: int, data: bytes) -> None:
        """Give it media; waits where ffmpeg is slower. Raises `BrokenPipeError` if it died."""
        self._heed()  # what it says now, it says of what it had taken before
        pipe = self._inputs[track]
        rest = memoryview(data)
        try:
            while rest:
                taken = pipe.write(rest)
                self._taken[track] += taken
                rest = rest[taken:]
        except ValueError as error:  # closed by close()
            raise BrokenPipeError(str(error)) from error

    def end(self, track: int) -> None:
        """No more media comes in this track."""
        with contextlib.suppress(OSError):
            self._inputs[track].close()

    def close(self) -> None:
        """Close the pipes and wait until the file is final."""
        for track in range(len(self._inputs)):
            self.end(track)
        try:
            self._process.wait(FINALISE_WITHIN)
        except subprocess.TimeoutExpired:
            log.warning("remuxer_stuck", path=self.path.name)
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        self._heed()
        with self._counting:
            self._progress.close()
        if self._process.returncode != 0:
            log.warning("remuxer_failed", code=self._process.returncode, said=self.complaint)

    def _heed(self) -> None:
        with self._counting:
            for report in self._progress.reports():
                self._moved(report)

    def _moved(self, report: Report) -> None:
        out_time = report.out_time
        if self._is_apart:
            if self._first is None:
                # With -copyts the count begins with the first report; the pictures until then
                # tell how much came before it: all of a short film.
                rate = self._media.fps if self._media else None
                self._first = out_time - (report.frames / rate if rate else 0.0)
            out_time -= self._first
        if out_time > self._out_time:
            self._out_time, self._taken_by_then = out_time, sum(self._taken)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as said:
            for raw in said:
                line = raw.decode(errors="replace")
                log.debug("remuxer_said", line=line.rstrip())
                if self._media is None and line.startswith("Output #0"):
                    self._media = media_info(self._said)
                self._said = (self._said + line)[-_KEPT:]


def _arguments(
    readers: Sequence[int],
    inputs: Sequence[Input],
    told: int,
    path: Path,
    *,
    with_pictures: bool,
) -> list[str]:
    arguments = ["-y", "-nostats", "-loglevel", "info"]
    if len(readers) > 1:
        # Sound and picture of two pipes keep their distance only by their own clocks.
        arguments += ["-copyts"]
    for reader, one in zip(readers, inputs, strict=True):
        # Whatever the media says it is: it is read from this pipe, and from nowhere else.
        arguments += ["-protocol_whitelist", "pipe", "-format_whitelist", MEDIA_FORMATS]
        # Enough to find all streams at once even at 50 Mbit/s, and not to wait for more: until
        # so much has come, ffmpeg keeps all of it in memory.
        arguments += ["-probesize", "8M", "-analyzeduration", "3M", "-thread_queue_size", "512"]
        if one.begins_at is not None and len(readers) > 1:
            arguments += ["-itsoffset", f"{one.begins_at:.6f}"]
        arguments += ["-f", one.container] if one.container else []
        arguments += ["-i", f"pipe:{reader}"]
    sound = len(readers) - 1
    pictures = ["-map", "0:v:0?"] if with_pictures else []
    arguments += [*pictures, "-map", f"{sound}:a:0?", "-c", "copy"]
    if len(readers) > 1:
        arguments += ["-avoid_negative_ts", "make_zero"]
    return [
        *arguments,
        *("-cluster_time_limit", "1000", "-flush_packets", "1"),
        *("-progress", f"pipe:{told}", "-stats_period", "0.5"),
        *("-f", "matroska", f"file:{path}"),
    ]
