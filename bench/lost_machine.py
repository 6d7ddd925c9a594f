"""Media that is lost when a machine is lost, and when processes of a recorder are killed.

A numbered stream is recorded into a bucket. In the middle some or all that belongs to the recorder
is killed with SIGKILL; where the machine is lost, its work folder is deleted too. Three seconds
later (the dispatcher looks every two) the next attempt is launched; of a lost machine, on an empty
disk. What the recording lacks in the end is counted packet by packet and held against its gaps.
The same befalls the peer, yt-dlp with an upload at the end: it is killed with all its children,
loses its folder with the machine, and is begun anew after three seconds, into a file of its own.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
from chronicle_contracts.recorder import Heartbeat, RecordingStarted
from recorder.settings import RecorderSettings
from rich.console import Console

from bench.report import Bar, Report
from bench.runs import KEY, NOWHERE, Job, Peer, media_seconds, stopped, until, uploaded
from tests.faults import loss
from tests.faults.encoder import Encoder, Pacing
from tests.faults.kills import OUTLIVED, Member, children, kill
from tests.faults.origin import Origin
from tests.faults.source import Life, make_lives
from tests.fixtures.aws import AwsEndpoint

MOST_LOST = 10.0  # seconds
MOST_UNTRUE = 0.5  # seconds between what is lost and what gaps say, either way
MOST_TWICE = 2.0  # seconds
NOTICED_AFTER = 3.0  # seconds until the next attempt is launched
AFTER = 12.0  # seconds that are recorded afterwards
PACING = Pacing(pace=2.0, window=15)  # segments of two seconds in real time, half a minute of them
AT_ONCE = 4
FLUSH_INTERVAL = RecorderSettings.model_fields["flush_interval"].default

WHAT: Mapping[Member, str] = {
    "machine": "machine lost",
    "all": "all of its processes killed",
    "recorder": "recorder killed",
    "ffmpeg": "ffmpeg killed",
    "child": "child that asks the site killed",
}


@dataclass(frozen=True)
class Case:
    """What is killed, `later` seconds after so many of media: uploads come every six."""

    kind: Member
    after: float
    later: float = 0.0

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return WHAT[self.kind] + (f" at {self.after + self.later:g} s" if self.after else "")


CASES = (
    Case("machine", 18, 0.2),
    Case("machine", 18, 1.9),
    Case("machine", 20, 1.5),
    Case("machine", 22, 1.0),
    Case("all", 20, 0.4),
    Case("recorder", 20, 0.8),
    Case("ffmpeg", 20, 1.2),
    Case("child", 0),
)


@dataclass(frozen=True)
class Outcome:
    """What became of a recording; `silent`: seconds from the kill to the next media."""

    published: float
    lost: float
    twice: float
    said: float
    silent: float
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
            "silent s": round(one.silent, 1),
            "twice s": round(one.twice, 2),
            "playable": "yes" if one.is_playable else "NO",
            "yt-dlp, begun anew, upload at the end: lost s": round(one.peer_lost, 1),
        }
        for case, one in outcomes.items()
    ]
    report.bars += [
        Bar(f"{case.name}: s lost", round(one.lost, 2), MOST_LOST) for case, one in outcomes.items()
    ]
    unplayable = [one for one in outcomes.values() if not one.is_playable]
    unsaid = max(one.lost - one.said for one in outcomes.values())
    over_said = max(one.said - one.lost for one in outcomes.values())
    twice = max(one.twice for one in outcomes.values())
    report.bars += [
        Bar("recordings that cannot be played to their end", len(unplayable), 0),
        Bar("s lost that no gap speaks of", round(unsaid, 2), MOST_UNTRUE),
        Bar("s that gaps say more than is lost", round(over_said, 2), MOST_UNTRUE),
        Bar("s of pictures that are there twice", round(twice, 2), MOST_TWICE),
    ]
    return report


def _trial(case: Case, lives: Mapping[str, Life], folder: Path, aws: Mapping[str, str]) -> Outcome:
    bucket = f"lost-{folder.name}"
    env = {**aws, "S3_BUCKET": bucket, "CHRONICLE_FLUSH_INTERVAL": str(FLUSH_INTERVAL)}
    env |= {"AWS_ENDPOINT_URL_S3": aws["AWS_ENDPOINT_URL"], **NOWHERE}
    encoder = Encoder(lives, PACING)
    origin = Origin(encoder)
    encoder.start()
    peers = [Peer(folder / "peer-1", origin.url)]
    job = Job(folder / "ours", origin.url, env).launch()
    attempt = 1
    try:
        with stopped(job):
            _wait_for(case, job)
            assert job.process is not None
            killed_at = datetime.now(UTC)
            kill(case.kind, job.process)
            peers[0].kill()
            if case.kind == "machine":
                shutil.rmtree(job.work)
                job.work.mkdir()
                shutil.rmtree(peers[0].folder)
            time.sleep(NOTICED_AFTER)
            peers.append(Peer(folder / "peer-2", origin.url))
            if case.kind not in OUTLIVED:
                attempt = 2
                job.launch(attempt)
            went_on_at = until(
                lambda: _goes_on_at(job, attempt, killed_at), "media again", within=60, of=job
            )
            time.sleep(AFTER)
            encoder.end()
            last = until(lambda: uploaded(job, attempt), "its last word", within=90, of=job)
        recording = folder / "whole.mkv"
        _download(bucket, aws["AWS_ENDPOINT_URL"], recording)
    finally:
        for peer in peers:
            peer.kill()
        origin.close()
    found = loss.count(recording, encoder.published)
    theirs = loss.count(_together(peers, folder / "theirs.ts"), encoder.published)
    return Outcome(
        published=found.published,
        lost=found.lost,
        twice=found.twice,
        said=sum(gap.seconds for gap in last.gaps),
        silent=(went_on_at - killed_at).total_seconds(),
        is_playable=loss.is_playable(recording),
        # What it had lost before its first packet counts, too.
        peer_lost=theirs.lost + max(0.0, found.published - theirs.published),
    )


def _wait_for(case: Case, job: Job) -> None:
    """Return at the moment at which something is to be killed."""
    if case.kind == "child":
        assert job.process is not None
        recorder = job.process
        until(lambda: children(recorder), case.name, within=30, of=job)
        return
    until(lambda: media_seconds(job) >= case.after, case.name, within=case.after + 60, of=job)
    time.sleep(case.later)


def _goes_on_at(job: Job, attempt: int, killed_at: datetime) -> datetime | None:
    """Return when the recorder said first that it has media (again)."""
    events = job.events(attempt)
    beats = [
        (one.time, one.data.media_seconds) for one in events if isinstance(one.data, Heartbeat)
    ]
    before = [seconds for at, seconds in beats if at <= killed_at]
    # The first one of an attempt speaks of what was there before it.
    times = [at for at, seconds in beats if at > killed_at and before and seconds > max(before)]
    times += [one.time for one in events if isinstance(one.data, RecordingStarted)]
    return min((one for one in times if one > killed_at), default=None)


def _together(peers: Sequence[Peer], target: Path) -> Path:
    """Put behind each other what is left of a peer's files."""
    with target.open("wb") as file:
        for one in peers:
            for part in sorted(one.folder.glob("out*")):
                file.write(part.read_bytes())
    return target


def _download(bucket: str, endpoint: str, target: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.download_file(bucket, KEY, str(target))
