"""From the end of a stream to its complete object, beside yt-dlp, remux and upload.

A stream of 40 Mbit/s is replayed three times faster than real time, so that 1 GB is there after a
minute. The clock starts when the playlist shows its end mark (which a recorder sees at its next
look, within a second) and stops when the bucket has the object. How much is on its way at that
moment is luck: tails are stored every six seconds. So there are several ends at each size, spread
over that interval, and their median counts. One is recorded at a time: the machine has to be the
bucket, too. The naive way gets the same stream faster: what it does after the end does not
depend on it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chronicle_contracts.recorder import Uploaded
from recorder.settings import RecorderSettings
from rich.console import Console

from bench import naive
from bench.bulk import BulkStream, make_segments, streaming
from bench.report import Bar, Figure, Report
from bench.runs import KEY, NOWHERE, Job, stopped, until, uploaded
from bench.uplinks import Bucket, bucket

MB = 1_000_000
RATE = 5 * MB  # bytes in a segment of one second
STREAM = 16 * MB  # bytes a second: the slower uplink keeps up with that
SIZES = SMALL, LARGE = 100 * MB, 1000 * MB
FLUSH_INTERVAL: float = RecorderSettings.model_fields["flush_interval"].default
BETWEEN_TAILS = round(FLUSH_INTERVAL * STREAM)  # bytes
# The naive way's stream comes as fast as its ffmpeg takes it.
NAIVE_RATE = 60 * MB
# Of a duration that ought not to depend on the size: a quarter is what two runs may differ by.
SAME = 1.25


@dataclass(frozen=True)
class Uplink:
    """Bytes a second, and how many streams of each size end there."""

    name: str
    rate: int
    ends: Mapping[int, int]


INTERVAL = {"CHRONICLE_FLUSH_INTERVAL": str(FLUSH_INTERVAL)}  # that of the tests is shorter

# A stream takes more of the slower one: there luck counts more.
UPLINKS = (
    Uplink("200 Mbit/s", 25 * MB, {SMALL: 4, LARGE: 2}),
    Uplink("400 Mbit/s", 50 * MB, {SMALL: 2, LARGE: 1}),
)


@dataclass(frozen=True)
class Took:
    """Seconds after the stream's end."""

    seconds: float
    size: int
    media: float | None = None


def run(console: Console) -> Report:
    """Measure both ways at each size and uplink."""
    report = Report("end-to-object")
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        folder = Path(place)
        console.print(f"making {LARGE // MB} MB of media")
        seconds = (LARGE + BETWEEN_TAILS) // RATE
        segments = make_segments(folder / "media", seconds=seconds, rate=RATE)
        naively = {size: _naive(segments[: size // RATE], folder) for size in SIZES}
        for uplink in UPLINKS:
            ours = {size: _ends(uplink, segments, size, folder) for size in SIZES}
            theirs = {size: naively[size][uplink.name] for size in SIZES}
            for size in SIZES:
                report.rows.append(_row(uplink, size, ours[size], theirs[size]))
                console.print(
                    f"{size // MB} MB, {uplink.name}: {_median(ours[size]):.1f} s, "
                    f"the naive way {theirs[size].seconds:.1f} s",
                    highlight=False,
                )
            small, large = (_median(ours[size]) for size in SIZES)
            faster = theirs[LARGE].seconds / large
            report.bars += [
                Bar(f"{uplink.name}: times faster at 1 GB", round(faster, 1), 15, "at least"),
                Bar(f"{uplink.name}: s at 1 GB, in those at 100 MB", round(large / small, 2), SAME),
            ]
    return report


def _row(uplink: Uplink, size: int, ours: Sequence[Took], theirs: Took) -> Mapping[str, Figure]:
    seconds = sorted(one.seconds for one in ours)
    return {
        "stream": f"{size // MB} MB",
        "uplink": uplink.name,
        "chronicle s": round(_median(ours), 2),
        "of": ", ".join(f"{one:.2f}" for one in seconds),
        "yt-dlp, remux, upload s": round(theirs.seconds, 2),
        "times faster": round(theirs.seconds / _median(ours), 1),
        "object MB": ours[0].size // MB,
        "naive object MB": theirs.size // MB,
        "media s of all": f"{ours[0].media:.1f} of {size // RATE}",
    }


def _median(ends: Sequence[Took]) -> float:
    return statistics.median(one.seconds for one in ends)


def _ends(uplink: Uplink, segments: list[Path], size: int, folder: Path) -> list[Took]:
    """Record streams, every one by a part of that interval longer than the one before."""
    ends = uplink.ends[size]
    found = []
    for number in range(ends):
        stream = segments[: (size + BETWEEN_TAILS * number // ends) // RATE]
        with _place(folder, uplink) as (home, there):
            found.append(_chronicle(stream, home, there))
    return found


@contextmanager
def _place(folder: Path, uplink: Uplink) -> Iterator[tuple[Path, Bucket]]:
    """Give room on the disk, and a bucket behind an uplink."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place)
        with bucket(home / "bucket", rate=uplink.rate) as there:
            yield home / "made", there


def _chronicle(segments: list[Path], home: Path, there: Bucket) -> Took:
    with streaming(segments, pace=RATE / STREAM) as stream:
        job = Job(home, stream.url, {**NOWHERE, **there.env, **INTERVAL})
        with stopped(job.launch()):
            ended_at = _end(stream)
            size, made_at = until(lambda: there.made(KEY), "the object", within=120, of=job)
            last: Uploaded = until(lambda: uploaded(job), "its last word", within=60, of=job)
    return Took(made_at - ended_at, size, last.duration)


def _naive(segments: list[Path], folder: Path) -> dict[str, Took]:
    """Record and remux once; upload by each uplink."""
    found: dict[str, Took] = {}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place)
        with streaming(segments, pace=RATE / NAIVE_RATE) as stream:
            peer = naive.record(stream.url, home)
            try:
                ended_at = _end(stream)
                code = peer.wait(300)
                remuxed_at = time.time()
                assert code == 0, (home / "log").read_text()[-500:]
            finally:
                peer.kill()
        for uplink in UPLINKS:
            with _place(folder, uplink) as (_, there):
                began_at = time.time()
                size = naive.upload(there, home)
                made = there.made(naive.KEY)
            assert made is not None
            found[uplink.name] = Took(remuxed_at - ended_at + made[1] - began_at, size)
    return found


def _end(stream: BulkStream) -> float:
    return until(lambda: stream.ended_at, "the stream's end", within=300)
