"""The most disk that a recording of 2 GB takes while it is made, beside yt-dlp.

Blocks are counted (a hole takes none), twenty times a second, in all that the recorder writes. The
uplink is a quarter faster than the stream.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from chronicle_contracts.recorder import Uploaded
from rich.console import Console

from bench.bulk import make_segments, streaming
from bench.metering import watched
from bench.report import Bar, Report
from bench.runs import KEY, NOWHERE, Job, Peer, stopped, until, uploaded
from bench.uplinks import bucket

MB, MIB = 1_000_000, 1024 * 1024
SIZE = 2000 * MB
RATE = 10 * MB  # bytes in a segment of one second
STREAM, UPLINK = 20 * MB, 25 * MB  # bytes a second


def run(console: Console) -> Report:
    """Record the same stream twice; watch the disk."""
    report = Report("disk")
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        folder = Path(place)
        console.print(f"making {SIZE // MB} MB of media")
        segments = make_segments(folder / "media", seconds=SIZE // RATE, rate=RATE)
        ours, size, media = _chronicle(segments, folder)
        console.print(f"chronicle: {ours // MIB} MiB", highlight=False)
        theirs, kept = _ytdlp(segments, folder)
        console.print(f"yt-dlp: {theirs // MIB} MiB", highlight=False)
    report.rows += [
        {"recorder": "chronicle", "recorded MB": size // MB, "peak MiB": ours // MIB},
        {"recorder": "yt-dlp", "recorded MB": kept // MB, "peak MiB": theirs // MIB},
    ]
    report.bars += [
        Bar("peak disk, MiB", round(ours / MIB, 1), 128),
        Bar("seconds of media in the object", round(media, 1), len(segments) - 3, "at least"),
    ]
    return report


def _chronicle(segments: list[Path], folder: Path) -> tuple[int, int, float]:
    home = folder / "ours"
    with (
        bucket(folder / "bucket", rate=UPLINK) as there,
        streaming(segments, pace=RATE / STREAM) as stream,
        watched(home) as disk,
    ):
        job = Job(home, stream.url, {**NOWHERE, **there.env, "CHRONICLE_FLUSH_INTERVAL": "10"})
        with stopped(job.launch()):
            until(lambda: stream.ended_at, "the stream's end", within=300)
            last: Uploaded = until(lambda: uploaded(job), "its delivery", within=120, of=job)
        found = there.made(KEY)
    assert found is not None
    return disk.peak, found[0], last.duration


def _ytdlp(segments: list[Path], folder: Path) -> tuple[int, int]:
    home = folder / "theirs"
    with streaming(segments, pace=RATE / STREAM) as stream, watched(home) as disk:
        peer = Peer(home, stream.url)
        try:
            code = peer.wait(300)
            assert code == 0, (home / "log").read_text()[-500:]
        finally:
            peer.kill()
    return disk.peak, peer.size
