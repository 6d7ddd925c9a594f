"""Media that is lost when a machine is lost, and when a recorder or its ffmpeg is killed.

A numbered stream is recorded into a bucket. In the middle all that belongs to the recorder is
killed with SIGKILL; where the machine is lost, its work folder is deleted too. Three seconds later
(the dispatcher looks every two) the next attempt is launched, on an empty disk. What the recording
lacks in the end is counted packet by packet. The same befalls the peer, yt-dlp with an upload at
the end: nobody begins anew, and of a lost machine nothing is left.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import boto3
from dispatcher.adapters import procfs
from recorder.settings import RecorderSettings
from rich.console import Console

from bench.report import Bar, Report
from bench.runs import KEY, NOWHERE, Job, Peer, media_seconds, stopped, until, uploaded
from tests.faults import loss
from tests.faults.encoder import Encoder, Pacing
from tests.faults.origin import Origin
from tests.faults.source import Life, make_lives
from tests.fixtures.aws import AwsEndpoint

MOST_LOST = 10.0  # seconds
NOTICED_AFTER = 3.0  # seconds until the next attempt is launched
AFTER = 15.0  # seconds that are recorded afterwards
PACING = Pacing(pace=2.0, window=15)  # segments of two seconds in real time, half a minute of them
AT_ONCE = 3
FLUSH_INTERVAL = RecorderSettings.model_fields["flush_interval"].default

Kind = Literal["machine", "recorder", "ffmpeg"]


@dataclass(frozen=True)
class Case:
    """What is killed, and after how many seconds of media: uploads come every ten."""

    kind: Kind
    after: float

    @property
    def name(self) -> str:
        """How it is called in the table."""
        what = {"machine": "machine lost", "recorder": "recorder killed", "ffmpeg": "ffmpeg killed"}
        return f"{what[self.kind]} at {self.after:g} s"


CASES = (
    Case("machine", 18),
    Case("machine", 22),
    Case("machine", 27),
    Case("recorder", 20),
    Case("ffmpeg", 20),
)


@dataclass(frozen=True)
class Outcome:
    """What became of a recording."""

    published: float
    lost: float
    twice: float
    said: float
    is_playable: bool
    peer_lost: float


def run(console: Console) -> Report:
    """Kill each; count."""
    report = Report("lost-machine")
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as place:
        folder = Path(place)
        console.print("making the numbered stream")
        lives = make_lives(folder, seconds=60, segment=2)
        aws = AwsEndpoint(folder / "aws")
        aws.start()
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                jobs = {
                    case: pool.submit(_trial, case, lives, folder / str(number), aws.env)
                    for number, case in enumerate(CASES)
                }
                outcomes = {}
                for case, job in jobs.items():
                    outcomes[case] = job.result()
                    console.print(f"{case.name}: {outcomes[case].lost:.1f} s", highlight=False)
        finally:
            aws.stop()
    report.rows += [
        {
            "case": case.name,
            "media s": round(one.published, 1),
            "lost s": round(one.lost, 2),
            "said lost s": round(one.said, 2),
            "twice s": round(one.twice, 2),
            "playable": "yes" if one.is_playable else "NO",
            "yt-dlp and upload at the end: lost s": round(one.peer_lost, 1),
        }
        for case, one in outcomes.items()
    ]
    report.bars += [
        Bar(f"{case.name}: s lost", round(one.lost, 2), MOST_LOST) for case, one in outcomes.items()
    ]
    unplayable = [one for one in outcomes.values() if not one.is_playable]
    unsaid = max(one.lost - one.said for one in outcomes.values())
    report.bars += [
        Bar("recordings that cannot be played to their end", len(unplayable), 0),
        Bar("s lost that no gap speaks of", round(unsaid, 2), 1.0),
    ]
    return report


def _trial(case: Case, lives: Mapping[str, Life], folder: Path, aws: Mapping[str, str]) -> Outcome:
    bucket = f"lost-{folder.name}"
    env = {**aws, "S3_BUCKET": bucket, "CHRONICLE_FLUSH_INTERVAL": str(FLUSH_INTERVAL)}
    env |= {"AWS_ENDPOINT_URL_S3": aws["AWS_ENDPOINT_URL"], **NOWHERE}
    encoder = Encoder(lives, PACING)
    origin = Origin(encoder)
    encoder.start()
    try:
        peer = Peer(folder / "peer", origin.url)
        job = Job(folder / "ours", origin.url, env).launch()
        attempt = 1
        with stopped(job):
            until(
                lambda: media_seconds(job) >= case.after, case.name, within=case.after + 60, of=job
            )
            assert job.process is not None
            _kill(case.kind, job.process)
            _kill(case.kind, peer.process)
            if case.kind == "machine":
                shutil.rmtree(job.work)
                job.work.mkdir()
                shutil.rmtree(peer.folder)
            if case.kind != "ffmpeg":
                time.sleep(NOTICED_AFTER)
                attempt = 2
                job.launch(attempt)
            time.sleep(AFTER)
            encoder.end()
            with stopped(job):
                last = until(lambda: uploaded(job, attempt), "its last word", within=90, of=job)
        recording = folder / "whole.mkv"
        _download(bucket, aws["AWS_ENDPOINT_URL"], recording)
    finally:
        peer.kill()
        origin.close()
    found = loss.count(recording, encoder.published)
    return Outcome(
        published=found.published,
        lost=found.lost,
        twice=found.twice,
        said=sum(gap.seconds for gap in last.gaps),
        is_playable=loss.is_playable(recording),
        peer_lost=loss.count(peer.folder / "out.ts", encoder.published).lost,
    )


def _kill(kind: Kind, leader: subprocess.Popen[bytes]) -> None:
    family = procfs.family_of(leader.pid)
    if kind != "machine":
        family = [one for one in family if ("ffmpeg" in _program(one.pid)) == (kind == "ffmpeg")]
    # The leader first: it must not see the others die.
    for one in sorted(family, key=lambda one: one.pid != leader.pid):
        os.kill(one.pid, signal.SIGKILL)
    if kind != "ffmpeg":
        leader.wait()


def _program(pid: int) -> str:
    return str(Path(f"/proc/{pid}/exe").readlink())


def _download(bucket: str, endpoint: str, target: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.download_file(bucket, KEY, str(target))
