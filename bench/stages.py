"""A recorder alone, from its launch to the first byte that it keeps, stage by stage.

It is forked, as the dispatcher does it, and looks at the URL itself, as its peers do.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import datetime
from pathlib import Path

from chronicle_contracts.recorder import Heartbeat
from dispatcher.adapters.starting import ForkStarter

from bench.runs import NOWHERE, Job, fork, terminated, until

# What the recorder's log says at the end of a stage.
RESOLVED, BEGUN = "resolved", "file_begun"


def stages(url: str, starter: ForkStarter) -> dict[str, float]:
    """Launch a recorder; return the seconds of each stage, in their order, and of all."""
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        launched = time.time()
        job = Job(Path(place), url, NOWHERE)
        with terminated(fork(starter, job)):
            kept = until(lambda: _first_byte(job), "the first byte", within=90)
            up = next(one.time for one in job.events() if isinstance(one.data, Heartbeat))
            said = _said(job)
    ends = [up.timestamp(), said[RESOLVED], said[BEGUN], kept]
    names = [
        "launch to recorder up (fork, settings, stores)",
        "looking at the URL (yt-dlp in a child)",
        "playlist, first segments, ffmpeg's start",
        "ffmpeg's probing to the first byte in the file",
    ]
    begins = [launched, *ends[:-1]]
    took = {name: end - begin for name, begin, end in zip(names, begins, ends, strict=True)}
    return took | {"launch to first byte kept": kept - launched}


def _first_byte(job: Job) -> float | None:
    for path in job.recordings.rglob("*.attempt-1.part"):
        if path.stat().st_size > 0:
            return time.time()
    return None


def _said(job: Job) -> dict[str, float]:
    lines = [json.loads(line) for line in job.log.read_text().splitlines() if line[:1] == "{"]
    moments = {line["event"]: line["timestamp"] for line in reversed(lines)}
    return {name: datetime.fromisoformat(at).timestamp() for name, at in moments.items()}
