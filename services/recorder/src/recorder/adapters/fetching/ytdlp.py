"""What only yt-dlp can fetch: its own downloaders, in a child process that hands us fragments.

YouTube from the start of a live stream, Smooth Streaming, and sites with protocols of their own.
The child connects under the same guard as the one that resolves, and starts no other program.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from typing import BinaryIO, cast

from chronicle_sources.errors import without_secrets
from chronicle_sources.exchange import Answer, DownloadRequest, Request
from chronicle_sources.frames import ANSWER, BYTES, MISSED, Frame, TornFrame, frames
from chronicle_sources.resolving import environment

from recorder.adapters.fetching.fetcher import Fetcher, Sink
from recorder.adapters.fetching.position import Position, Positions
from recorder.adapters.media.ffmpeg import last_line
from recorder.adapters.media.section import Section
from recorder.domain.gaps import Loss
from recorder.domain.segment import Segment
from recorder.ports import FetchEnd, Ledger

NAME = "yt-dlp"  # of positions: numbers of another kind of fetcher mean something else
LONGEST_HEAD = 100_000  # bytes; what is longer holds media
_REFUSALS = frozenset({"forbidden", "needs_login"})


class YtdlpFetcher(Fetcher):
    """One track of what `request` resolves to."""

    def __init__(
        self,
        request: Request,
        sink: Sink,
        *,
        ledger: Ledger,
        positions: Positions,
        track: int,
    ) -> None:
        super().__init__(sink, f"yt-dlp-{track}")
        self._request = request
        self._ledger = ledger
        self._positions = positions
        self._track = track
        kept = positions.of(track)
        self._after = kept.number if kept is not None and kept.name == NAME else None
        self._child: subprocess.Popen[bytes] | None = None
        self._answer: Answer | None = None
        self._head = b""

    @property
    def continues(self) -> bool:
        """Whether it goes on after a fragment that was kept."""
        return self._after is not None

    @property
    def is_numbered(self) -> bool:
        """Fragments that yt-dlp passed over are told."""
        return True

    @property
    def patience(self) -> float:
        """Looking at the site again, and a fragment of a few seconds."""
        return 15.0

    def close(self) -> None:
        """Kill the child and all it started: whatever it has handed over is kept."""
        self._stop.set()
        self._kill()
        super().close()

    def _fetch(self) -> FetchEnd:
        with tempfile.TemporaryDirectory(prefix="chronicle-") as folder:
            child = self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "chronicle_sources.downloading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
                cwd=folder,
                start_new_session=True,
            )
            said: list[str] = []
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stderr is not None
            complaints = child.stderr
            listener = threading.Thread(target=lambda: said.extend(_lines(complaints)), daemon=True)
            listener.start()
            try:
                order = DownloadRequest(request=self._request, track=self._track, after=self._after)
                child.stdin.write(order.model_dump_json().encode() + b"\n")
                child.stdin.flush()
                for frame in frames(cast("BinaryIO", child.stdout)):
                    if self._stop.is_set():
                        break
                    self._take(frame)
            except (TornFrame, BrokenPipeError):
                pass  # it ended; why it did is said below
            finally:
                self._kill()
                listener.join(2)
                for pipe in (child.stdin, child.stdout, child.stderr):
                    with contextlib.suppress(OSError):
                        pipe.close()
            return self._end_of(last_line("".join(said)))

    def _end_of(self, said: str) -> FetchEnd:
        if self._stop.is_set():
            return FetchEnd("broken", "It was stopped.")
        if self._answer is None:
            return FetchEnd("broken", f"yt-dlp broke off: {without_secrets(said) or 'no word'}")
        if self._answer.code is None:
            return FetchEnd("ended", "The source was received to its end.")
        if self._answer.code in _REFUSALS:
            return FetchEnd("refused", self._answer.detail)
        return FetchEnd("broken", self._answer.detail)

    def _take(self, frame: Frame) -> None:
        if frame.number == ANSWER:
            self._answer = Answer.model_validate_json(frame.data)
        elif frame.number == MISSED:
            self.lose(Loss("segment unavailable", 0.0, 1))
        elif (
            frame.data[4:8] == b"ftyp"
            and len(frame.data) < LONGEST_HEAD
            and b"moof" not in frame.data
        ):
            self._head = frame.data
            self._begin_if_whole()
        elif frame.data[4:8] == b"moov" and self._head:
            self._head += frame.data
            self._begin_if_whole()
        elif frame.number == BYTES:
            self._sink.write(frame.data)
        elif self._after is None or frame.number > self._after:
            self._sink.write(frame.data)
            self._keep(frame)

    def _begin_if_whole(self) -> None:
        """Tell the sink of an initialization section, which may come in two parts."""
        if b"moov" in self._head:
            self._sink.begin_section(Section(self._head), is_break=False)
            self._head = b""

    def _keep(self, frame: Frame) -> None:
        position = Position.of(frame.number, NAME)
        self._ledger.keep(
            Segment(
                sequence=frame.number,
                at=position.kept_at,
                seconds=0.0,  # yt-dlp does not hand on what a site says of it
                size=len(frame.data),
                sha256=hashlib.sha256(frame.data).hexdigest(),
                track=self._track,
            )
        )
        self._positions.move(self._track, position)

    def _kill(self) -> None:
        child = self._child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _lines(stream: BinaryIO | object) -> list[str]:
    with contextlib.suppress(OSError, ValueError):
        return [line.decode(errors="replace") for line in cast("BinaryIO", stream)]
    return []
