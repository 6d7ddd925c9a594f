"""From a request to the first media kept: where the seconds go, beside what the work alone takes.

Each step is measured between the times of the events that frame it, over several jobs. Beside it
stands what its work takes alone in the same run (looking at the URL, starting the process); the
rest is waiting: relays, queues, commits. Then a recorder alone, from its launch to the first byte
that it keeps, by stages. The peers are the command lines of yt-dlp and streamlink, from launch to
the first byte in their file.

Recorders are forked from one that is loaded, which the dispatcher has ready; it hands them the
look at the URL. A recorder alone takes that look itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from chronicle_local.sample import LiveSample
from chronicle_sources import resolve
from dispatcher.adapters import procfs
from dispatcher.adapters.starting import ForkStarter, handed_over
from imageio_ffmpeg import get_ffmpeg_exe
from rich.console import Console

from bench.report import Bar, Report
from bench.runs import NOWHERE, forking
from bench.stack import Portal, running_stack
from bench.stages import stages

JOBS = 5
# A hop is a relay's poll (0.25 s at most), the queue's wake-up and a commit.
HOP = 1.0


def run(console: Console) -> Report:
    """Measure and compare."""
    report = Report("startup")
    with LiveSample() as sample, running_stack(console) as portal:
        time.sleep(5)  # the stack's own start is over then
        _record(portal, sample.url, "warm-up")
        looking = _median(lambda: _timed(lambda: _look(sample.url)))
        loading = _median(lambda: _timed(_recorder_process))
        ytdlp = _median(lambda: _first_byte(_ytdlp(sample.url)))
        streamlink = _median(lambda: _first_byte(_streamlink(sample.url)))
        with forking(NOWHERE) as starter:
            _timed(lambda: _forked(starter))  # it is loaded then
            process = _median(lambda: _timed(lambda: _forked(starter)))
            alone_runs = [stages(sample.url, starter) for _ in range(JOBS)]
        import_ytdlp = _median(lambda: _timed(_import_ytdlp))
        jobs = [_record(portal, sample.url, f"startup-{number}") for number in range(JOBS)]
    steps = {name: statistics.median(job[name] for job in jobs) for name in jobs[0]}
    alone = {
        "requested to URL checked": looking,
        "recorder launched to recorder up": process,
    }
    for name, seconds in steps.items():
        work = alone.get(name)
        report.rows.append(
            {
                "step": name,
                "median s": round(seconds, 3),
                "its work alone s": round(work, 3) if work is not None else None,
                "rest s": round(seconds - (work or 0.0), 3),
            }
        )
    for name in alone_runs[0]:
        seconds = statistics.median(one[name] for one in alone_runs)
        report.rows.append({"step": f"recorder alone: {name}", "median s": round(seconds, 3)})
    launch = statistics.median(one["launch to first byte kept"] for one in alone_runs)
    total = steps["requested to first media kept"]
    report.rows += [
        {"step": "of a look: loading yt-dlp", "median s": round(import_ytdlp, 3)},
        {"step": "once: loading a recorder", "median s": round(loading, 3)},
        {"step": "peer: yt-dlp, launch to first byte", "median s": round(ytdlp, 3)},
        {"step": "peer: streamlink, launch to first byte", "median s": round(streamlink, 3)},
    ]
    report.bars += [
        Bar(
            "requested to URL checked, less the look itself: s",
            round(steps["requested to URL checked"] - looking, 3),
            HOP,
        ),
        Bar("URL checked to recorder launched: s", round(steps["checked to launched"], 3), 0.5),
        Bar(
            "recorder launched to up, less the process's own start: s",
            round(steps["recorder launched to recorder up"] - process, 3),
            0.5,
        ),
        Bar(
            "media kept to visible in the portal: s",
            round(steps["first media kept to visible"], 3),
            HOP,
        ),
        Bar("launch to first byte kept, in yt-dlp's", round(launch / ytdlp, 2), 3),
        Bar("requested to first media kept, in yt-dlp's time to its first byte", total / ytdlp, 3),
    ]
    return report


def _record(portal: Portal, url: str, job_id: str) -> dict[str, float]:
    portal.submit(url, job_id)
    portal.until(job_id, "RECORDING")
    entries = portal.entries(job_id)
    portal.stop(job_id)
    portal.until(job_id, "COMPLETED")
    at: dict[str, float] = {}
    for entry in entries:
        event = entry["event"]
        name = event["type"].split(".")[2]
        at.setdefault(name, _seconds(event["time"]))
        at.setdefault(f"{name} received", _seconds(entry["received_at"]))
    return {
        "requested to URL checked": at["JobAccepted"] - at["JobRequested"],
        "checked to launched": at["RecorderLaunched"] - at["JobAccepted"],
        "recorder launched to recorder up": at["Heartbeat"] - at["RecorderLaunched"],
        "recorder up to first media kept": at["RecordingStarted"] - at["Heartbeat"],
        "first media kept to visible": at["RecordingStarted received"] - at["RecordingStarted"],
        "requested to first media kept": at["RecordingStarted"] - at["JobRequested"],
    }


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(3))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _look(url: str) -> object:
    return resolve(url, timeout=30, allow_private=True)


def _recorder_process() -> object:
    """Start a recorder that ends once everything is imported: it refuses its settings."""
    return subprocess.run(
        [sys.executable, "-m", "recorder"], env={"PATH": ""}, capture_output=True, check=False
    )


def _forked(starter: ForkStarter) -> None:
    """Fork a recorder that ends at once: it refuses its settings."""
    nothing = handed_over(None)
    try:
        with Path(os.devnull).open("wb") as output:
            reference = starter.start({"PATH": ""}, given=nothing, output=output.fileno())
    finally:
        os.close(nothing)
    while (one := procfs.find(reference)) is not None and one.runs:
        time.sleep(0.001)


def _import_ytdlp() -> object:
    return subprocess.run([sys.executable, "-c", "import yt_dlp"], check=True)


def _ytdlp(url: str) -> list[str]:
    where = ["--ffmpeg-location", get_ffmpeg_exe(), "--no-part", "--hls-use-mpegts"]
    return [sys.executable, "-m", "yt_dlp", "-q", *where, "-o", "out", url]


def _streamlink(url: str) -> list[str]:
    return [sys.executable, "-m", "streamlink", "-Q", "-o", "out", url, "best"]


def _first_byte(command: list[str], *, timeout: float = 60.0) -> float:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        # A session of its own: yt-dlp's ffmpeg would outlive it and record on.
        peer = subprocess.Popen(command, cwd=folder, stderr=said, start_new_session=True)
        try:
            while not any(path.stat().st_size for path in Path(folder).iterdir()):
                if peer.poll() is not None or time.perf_counter() - began > timeout:
                    said.seek(0)
                    words = said.read().decode(errors="replace").strip()
                    raise RuntimeError(f"{command[2]} kept nothing: {words[-500:]}")
                time.sleep(0.01)
            return time.perf_counter() - began
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(peer.pid, signal.SIGKILL)
            peer.wait()
