"""Memory and processor of 1, 10 and 40 recordings at once, beside as many yt-dlp processes.

All record the same live stream of 2 Mbit/s in real time, ours into a local store with events
going out to a local endpoint, yt-dlp into files. Ours are launched as the dispatcher does, by a
server that forks them and ends when it has had nothing to do for a minute: what it took to start
is divided among them, and what they take is measured after that minute, as a recording goes on
for hours. Each has as many as it needs of
other processes (ffmpeg both, which yt-dlp leaves the whole work to). Memory is the proportional
share (PSS): pages that several have are divided among them. Processor time is that of a window in
which all record; getting there is told apart. How many would fit into three quarters of this
machine, and what bounds that, is extrapolated from what one of forty takes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatcher.adapters import procfs
from recorder.forkserver import IDLE
from rich.console import Console

from bench.bulk import make_segments, streaming
from bench.metering import use_of
from bench.report import Bar, Report
from bench.runs import Job, Peer, fork, forking, terminated, until
from tests.fixtures.aws import AwsEndpoint

RATE = 250_000  # bytes a second
LENGTH = 2  # seconds of a segment
LISTED = 15  # segments
LIFE = 1200  # seconds of media: more than all rounds take together
# Seconds, by how many record: the kernel counts each process in steps of 10 ms, which for one alone
# is a fifth of what it takes in 20 s.
WINDOWS = {1: 80.0, 10: 30.0, 40: 20.0}
THEIRS = 0.75  # of the machine
AT_A_TIME = 4  # are started together: nobody starts forty in one moment
MEDIA = ("*.attempt-1.part", "*.ts")  # as ours and theirs grow
MIB = 1024 * 1024
# As a recorder has them where nobody says anything; the tests' own are shorter.
PATIENCE = {"CHRONICLE_FLUSH_INTERVAL": "10", "CHRONICLE_HEARTBEAT": "5"}


@dataclass(frozen=True)
class Figures:
    """What one recording takes, on average."""

    memory: float  # bytes
    processor: float  # share of a core
    start: float  # processor seconds until it records
    slowest: float  # of the stream's rate, of the recording that gained least


def run(console: Console) -> Report:
    """Measure and compare."""
    report = Report("concurrency")
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        folder = Path(place)
        aws = AwsEndpoint(folder / "aws")
        aws.start()
        try:
            segments = make_segments(folder / "media", seconds=LIFE, rate=RATE, length=LENGTH)
            with streaming(segments, pace=LENGTH, length=LENGTH, window=LISTED) as stream:
                rate = sum(one.stat().st_size for one in segments) / LIFE
                for count, window in WINDOWS.items():
                    recorders = _recorders(folder / f"ours-{count}", stream.url, aws.env, count)
                    ours = _measure(recorders, rate, window)
                    console.print(f"{count} of ours: {_told(ours)}", highlight=False)
                    peers = _peers(folder / f"theirs-{count}", stream.url, count)
                    theirs = _measure(peers, rate, window)
                    console.print(f"{count} of yt-dlp: {_told(theirs)}", highlight=False)
                    report.rows += [_row(count, "chronicle", ours), _row(count, "yt-dlp", theirs)]
                    report.bars += _bars(count, ours, theirs)
        finally:
            aws.stop()
    report.rows += [_fit("chronicle", ours), _fit("yt-dlp", theirs)]
    return report


@dataclass(frozen=True)
class Running:
    """A recording: its process, the one that forked it, the folder in which its media grows."""

    leader: int
    folder: Path
    server: int | None = None

    @property
    def kept(self) -> int:
        """Bytes of media that are there."""
        return sum(one.stat().st_size for name in MEDIA for one in self.folder.rglob(name))


@contextmanager
def _recorders(
    folder: Path, url: str, env: Mapping[str, str], count: int
) -> Iterator[Iterator[Running]]:
    with forking(env) as starter, contextlib.ExitStack() as stack:

        def start() -> Iterator[Running]:
            for number in range(count):
                job = Job(folder / str(number), url, {**env, **PATIENCE})
                reference = fork(starter, job)
                stack.enter_context(terminated(reference))
                yield Running(int(reference.partition(":")[0]), job.recordings, starter.server)

        yield start()


@contextmanager
def _peers(folder: Path, url: str, count: int) -> Iterator[Iterator[Running]]:
    with contextlib.ExitStack() as stack:

        def start() -> Iterator[Running]:
            for number in range(count):
                peer = Peer(folder / str(number), url)
                stack.callback(peer.kill)
                yield Running(peer.pid, peer.folder)

        yield start()


def _measure(
    starting: contextlib.AbstractContextManager[Iterator[Running]], rate: float, window: float
) -> Figures:
    with starting as starts:
        running: list[Running] = []
        for one in starts:
            running.append(one)
            if len(running) % AT_A_TIME == 0:
                _wait_for(running)
        _wait_for(running)
        servers = {one.server for one in running if one.server is not None}
        pids = {one.leader for one in running}
        time.sleep(2 * LENGTH)  # what came at once at the beginning is written by then
        started = use_of(pids | servers)
        until(lambda: all(map(_has_ended, servers)), "the end of the server", within=2 * IDLE)
        began, first = time.monotonic(), use_of(pids)
        kept = [one.kept for one in running]
        time.sleep(window)
        last, seconds = use_of(pids), time.monotonic() - began
        gained = [one.kept - before for one, before in zip(running, kept, strict=True)]
    count = len(running)
    return Figures(
        memory=last.memory / count,
        processor=(last.processor - first.processor) / seconds / count,
        start=started.processor / count,
        slowest=min(gained) / seconds / rate,
    )


def _has_ended(pid: int) -> bool:
    found = procfs.stat_of(pid)
    return found is None or not found.runs


def _wait_for(running: list[Running]) -> None:
    for one in running:
        until(lambda: one.kept > 0, "a beginning", within=120)  # noqa: B023 - now


def _row(count: int, who: str, figures: Figures) -> dict[str, str | int | float | None]:
    return {
        "at once": count,
        "recorder": who,
        "MiB each": round(figures.memory / MIB, 1),
        "% of a core each": round(figures.processor * 100, 2),
        "processor s to start each": round(figures.start, 2),
        "slowest, in real time": round(figures.slowest, 2),
    }


def _bars(count: int, ours: Figures, theirs: Figures) -> list[Bar]:
    return [
        Bar(f"{count} at once: memory, in yt-dlp's", round(ours.memory / theirs.memory, 2), 1.0),
        Bar(
            f"{count} at once: processor, in yt-dlp's",
            round(ours.processor / theirs.processor, 2),
            2.0,
        ),
        # Segments of two seconds come in jumps: a window may see one less.
        Bar(
            f"{count} at once: slowest, in real time",
            round(ours.slowest, 2),
            round(1 - 2 * LENGTH / WINDOWS[count], 2),
            "at least",
        ),
    ]


def _fit(who: str, figures: Figures) -> dict[str, str | int | float | None]:
    """How many would fit into what of the machine is theirs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    by_memory = int(THEIRS * memory / figures.memory)
    by_processor = int(THEIRS * (os.cpu_count() or 1) / figures.processor)
    bound = "memory" if by_memory < by_processor else "processor"
    return {"at once": min(by_memory, by_processor), "recorder": f"{who} would fit ({bound})"}


def _told(figures: Figures) -> str:
    return (
        f"{figures.memory / MIB:.1f} MiB, {figures.processor:.2%} of a core, "
        f"{figures.start:.2f} s to start, {figures.slowest:.2f} x real time"
    )
