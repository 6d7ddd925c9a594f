"""Recorders as benchmarks start them: ours as its launcher does, and yt-dlp's command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from chronicle_contracts.recorder import Heartbeat, Uploaded
from dispatcher.adapters import procfs
from dispatcher.adapters.starting import ForkStarter, handed_over
from imageio_ffmpeg import get_ffmpeg_exe

from services.recorder.tests.process import KEY, NOWHERE, Job

__all__ = [
    "KEY",
    "NOWHERE",
    "Job",
    "Peer",
    "fork",
    "forking",
    "media_seconds",
    "stopped",
    "terminated",
    "until",
    "uploaded",
]

YTDLP = [
    *(sys.executable, "-m", "yt_dlp", "--ignore-config", "--no-part", "--hls-use-mpegts", "-q"),
    *("--ffmpeg-location", get_ffmpeg_exe()),
]


class Peer:
    """yt-dlp recording a URL into `out.ts` of a folder, with whatever options."""

    def __init__(self, folder: Path, url: str, options: Sequence[str] = ("-o", "out.ts")) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("wb") as log:
            # A session of its own: its ffmpeg would outlive it and record on.
            self.process = subprocess.Popen(
                [*YTDLP, *options, url],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def size(self) -> int:
        """Bytes that it has kept so far."""
        return sum(one.stat().st_size for one in self.folder.glob("out*"))

    def wait(self, timeout: float) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it and its ffmpeg."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def media_seconds(job: Job, attempt: int = 1) -> float:
    """Return the media that the newest heartbeat speaks of."""
    beats = [one.data for one in job.events(attempt) if isinstance(one.data, Heartbeat)]
    return beats[-1].media_seconds if beats else 0.0


def uploaded(job: Job, attempt: int = 1) -> Uploaded | None:
    """Return the last word of a run that delivered."""
    said = [one.data for one in job.events(attempt) if isinstance(one.data, Uploaded)]
    return said[-1] if said else None


@contextmanager
def forking(env: Mapping[str, str]) -> Iterator[ForkStarter]:
    """Start recorders as the dispatcher does, by forks; nothing of them lives after that."""
    environment = {**os.environ, **env}
    starter = ForkStarter([sys.executable, "-m", "recorder.forkserver"], environment)
    starter.prepare()
    try:
        yield starter
    finally:
        for one in procfs.family_of(starter.server) if starter.server is not None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        starter.close()


def fork(starter: ForkStarter, job: Job) -> str:
    """Start a job's recorder; return `pid:starttime`."""
    nothing = handed_over(None)
    try:
        with job.log.open("ab") as log:
            environment = {**os.environ, **job.environment()}
            return starter.start(environment, given=nothing, output=log.fileno())
    finally:
        os.close(nothing)


@contextmanager
def terminated(reference: str) -> Iterator[None]:
    """See to it that nothing of a forked recorder lives after a `with` block."""
    try:
        yield
    finally:
        pid = int(reference.partition(":")[0])
        for one in procfs.family_of(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        until(lambda: procfs.find(reference) is None, "the end of a recorder", within=10)


@contextmanager
def stopped(job: Job) -> Iterator[Job]:
    """See to it that nothing of a job's recorder lives after a `with` block."""
    try:
        yield job
    finally:
        if job.process is not None:
            for one in procfs.family_of(job.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
            job.process.wait()


Found = TypeVar("Found")


def until(
    found: Callable[[], Found | None], what: str, *, within: float, of: Job | None = None
) -> Found:
    """Return what is found, looking ten times a second; `TimeoutError` says what was not.

    `of` is the job that is waited for: where its recorder has ended, nothing more will come.
    """
    deadline = time.monotonic() + within
    while not (answer := found()):
        is_over = of is not None and of.process is not None and of.process.poll() is not None
        if (is_over and not found()) or time.monotonic() > deadline:
            log = "" if of is None else of.log.read_text()[-2000:]
            raise TimeoutError(f"{what}: not within {within:g} s {log}")
        time.sleep(0.1)
    return answer
