"""From the end of a stream to its complete object, beside yt-dlp, remux and upload.

A stream of 40 Mbit/s is replayed three times faster than real time, so that 1 GB is there after a
minute. The clock starts when the playlist shows its end mark (which a recorder sees at its next
look, within a second) and stops when the bucket has the object. The naive way gets the same
stream faster: what it does after the end does not depend on it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from chronicle_contracts.recorder import Uploaded
from rich.console import Console

from bench import naive
from bench.bulk import BulkStream, make_segments, streaming
from bench.report import Bar, Report
from bench.runs import KEY, NOWHERE, Job, stopped, until, uploaded
from bench.uplinks import Bucket, bucket

MB = 1_000_000
RATE = 5 * MB  # bytes in a segment of one second
STREAM = 16 * MB  # bytes a second: the slower uplink keeps up with that
SIZES = (100 * MB, 1000 * MB)
UPLINKS = {"200 Mbit/s": 25 * MB, "400 Mbit/s": 50 * MB}
# The naive way's stream comes as fast as its ffmpeg takes it.
NAIVE_RATE = 60 * MB
# Of a duration that ought not to depend on the size: a quarter is what two runs may differ by.
SAME = 1.25


@dataclass(frozen=True)
class Took:
    """Seconds after the stream's end."""

    seconds: float
    size: int
    media: float | None = None


def run(console: Console) -> Report:
    """Measure both ways at each size and uplink."""
    report = Report("end-to-object")
    ours: dict[tuple[str, int], float] = {}
    theirs: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        folder = Path(place)
        console.print(f"making {max(SIZES) // MB} MB of media")
        segments = make_segments(folder / "media", seconds=max(SIZES) // RATE, rate=RATE)
        for uplink, rate in UPLINKS.items():
            for size in SIZES:
                stream = segments[: size // RATE]
                home = folder / f"{rate}-{size}"
                with bucket(home / "bucket", rate=rate) as there:
                    mine = _chronicle(stream, home / "ours", there)
                    console.print(
                        f"{size // MB} MB, {uplink}: {mine.seconds:.1f} s", highlight=False
                    )
                    other = _naive(stream, home / "theirs", there)
                    console.print(f"  the naive way: {other.seconds:.1f} s", highlight=False)
                ours[uplink, size], theirs[uplink, size] = mine.seconds, other.seconds
                report.rows.append(
                    {
                        "stream": f"{size // MB} MB",
                        "uplink": uplink,
                        "chronicle s": round(mine.seconds, 2),
                        "yt-dlp, remux, upload s": round(other.seconds, 2),
                        "times faster": round(other.seconds / mine.seconds, 1),
                        "object MB": mine.size // MB,
                        "naive object MB": other.size // MB,
                        "media s of all": f"{mine.media:.1f} of {len(stream)}",
                    }
                )
    for uplink in UPLINKS:
        small, large = (ours[uplink, size] for size in SIZES)
        faster = theirs[uplink, SIZES[-1]] / large
        report.bars += [
            Bar(f"{uplink}: times faster at 1 GB", round(faster, 1), 15, "at least"),
            Bar(f"{uplink}: s at 1 GB, in those at 100 MB", round(large / small, 2), SAME),
        ]
    return report


def _chronicle(segments: list[Path], home: Path, there: Bucket) -> Took:
    with streaming(segments, pace=RATE / STREAM) as stream:
        job = Job(home, stream.url, {**NOWHERE, **there.env, "CHRONICLE_FLUSH_INTERVAL": "10"})
        with stopped(job.launch()):
            ended_at = _end(stream)
            size, made_at = until(lambda: there.made(KEY), "the object", within=120, of=job)
            last: Uploaded = until(lambda: uploaded(job), "its last word", within=60, of=job)
    return Took(made_at - ended_at, size, last.duration)


def _naive(segments: list[Path], home: Path, there: Bucket) -> Took:
    with streaming(segments, pace=RATE / NAIVE_RATE) as stream:
        peer = naive.record(stream.url, home)
        try:
            ended_at = _end(stream)
            code = peer.wait(300)
            assert code == 0, (home / "log").read_text()[-500:]
        finally:
            peer.kill()
        size = naive.upload(there, home)
    found = there.made(naive.KEY)
    assert found is not None
    return Took(found[1] - ended_at, size)


def _end(stream: BulkStream) -> float:
    return until(lambda: stream.ended_at, "the stream's end", within=300)
