"""One recording, and everything that belongs to it killed in turn, at random moments."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from uuid import uuid4

import pytest
from chronicle_contracts.recorder import Uploaded
from chronicle_storage import StorageSettings, open_store

from services.recorder.tests.process import KEY, Job
from tests.faults import loss
from tests.faults.encoder import Encoder, Pacing
from tests.faults.kills import OUTLIVED, Member, children, kill
from tests.faults.origin import Origin

SEED = 20261121
MEMBERS: list[Member] = ["recorder", "ffmpeg", "child", "all", "machine"]
PACING = Pacing(pace=0.5, window=80)  # twice as fast as life; nothing leaves the playlist
MOST_LOST = 10.0  # seconds
TOLERANCE = 2.0  # seconds between what is lost and what gaps say


class Endangered:
    """A recording whose members are killed; whoever supervises it launches the next attempt."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = 0
        self.launch()

    def launch(self) -> None:
        self.attempt += 1
        self.job.launch(self.attempt)

    @property
    def media_seconds(self) -> float:
        events = self.job.events(self.attempt)
        return max((getattr(one.data, "media_seconds", 0.0) for one in events), default=0.0)

    def kill(self, member: Member, after: float) -> None:
        """Kill so many seconds of media after now; or as soon as there is such a member."""
        assert self.job.process is not None
        leader = self.job.process
        if member == "child":
            self.job.until(lambda: children(leader) != [])
        else:
            self.job.until(lambda: self.job.started(self.attempt))
            began = self.media_seconds
            self.job.until(lambda: self.media_seconds >= began + after)
        kill(member, leader)
        if member == "machine":
            shutil.rmtree(self.job.work)
            self.job.work.mkdir()
        if member not in OUTLIVED:
            self.launch()


@pytest.fixture
def origin(lives):
    encoder = Encoder(lives, PACING)
    with closing(Origin(encoder)) as opened:
        encoder.start()
        yield opened


@pytest.fixture
def endangered(origin, tmp_path, aws_env):
    env = {**aws_env, "S3_BUCKET": f"kills-{uuid4().hex[:8]}"}
    with closing(Job(tmp_path, origin.url, env)) as job:
        yield Endangered(job)


class TestRandomKills:
    def test_leave_one_whole_recording_that_says_what_it_lacks(self, endangered, origin, tmp_path):
        chance = random.Random(SEED)
        # The child lives for the second in which the site is asked: it has to be first.
        endangered.kill("child", 0)
        others = [member for member in MEMBERS if member != "child"]
        chance.shuffle(others)
        for member in others:
            endangered.kill(member, chance.uniform(0.5, 3.0))
        job = endangered.job
        job.until(lambda: job.started(endangered.attempt))
        origin.encoder.end()
        assert job.wait() == 0, job.log.read_text()

        uploaded = job.events(endangered.attempt)[-1].data
        assert isinstance(uploaded, Uploaded)
        store = open_store(StorageSettings(bucket=job.env["S3_BUCKET"]))
        recording = tmp_path / "whole.mkv"
        with recording.open("wb") as file:
            file.writelines(store.read(KEY))
        found = loss.count(recording, origin.encoder.published)
        assert loss.is_playable(recording)
        assert found.twice <= TOLERANCE
        assert found.lost <= MOST_LOST
        said = sum(gap.seconds for gap in uploaded.gaps)
        assert said == pytest.approx(found.lost, abs=TOLERANCE), (found, uploaded.gaps)
        assert (uploaded.completeness.score < 1) == (said > 0)
        # One object, and what it says of itself: nothing of five attempts is left.
        left = [one.key.removeprefix(KEY) for one in store.list(KEY)]
        assert sorted(left) == ["", ".journal.jsonl", ".manifest.json", ".turn"]
        assert store.unfinished(KEY) == []
