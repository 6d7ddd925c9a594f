"""A disk that fills while something is recorded, and gets room again, or not."""

import os
import shutil
from uuid import uuid4

import pytest
from chronicle_contracts.recorder import (
    CaptureInterrupted,
    CaptureResumed,
    RecordingEnded,
    RecordingFailed,
    Uploaded,
)
from recorder.domain.ending import Outcome
from recorder.domain.room import Room
from recorder.ports import Wish

from services.recorder.tests.cast import ENDED, OVER, World
from services.recorder.tests.process import KEY, NOWHERE, packets, probed

GIB = 1024**3


@pytest.fixture
def world():
    return World()


class TestRoom:
    def test_is_there_again_when_it_is_more_than_just_enough(self):
        room = Room(100)
        assert [room.see(free) for free in (100, 99, 100, 124, 125)] == [
            *(False, True, False, False, True)
        ]
        assert not room.is_short

    def test_is_not_judged_where_nobody_knows(self):
        room = Room(100)
        assert not room.see(None)
        assert not room.is_short


class TestRecording:
    def test_fails_where_there_was_never_room(self, world):
        world.shortages = [(0, 1000)]
        assert world.record(min_free_disk=10) is Outcome.FAILED
        assert world.facts(RecordingFailed)[0].code == "disk_full"

    def test_pauses_and_goes_on_when_there_is_room(self, world):
        world.shortages = [(10, 30)]
        world.wishes = {50: Wish("keep")}
        assert world.record(min_free_disk=10) is Outcome.DELIVERED
        assert [one.cause for one in world.facts(CaptureInterrupted)] == ["disk_full"]
        assert len(world.facts(CaptureResumed)) == 1
        assert len(world.streams) == 2

    def test_says_what_it_may_have_missed_when_there_is_no_room_any_more(self, world):
        world.shortages = [(10, 1000)]
        assert world.record(min_free_disk=10, idle_timeout=60) is Outcome.DELIVERED
        [ended] = world.facts(RecordingEnded)
        assert ended.why == "failed"
        assert "must be free" in ended.detail
        [uploaded] = world.facts(Uploaded)
        [gap] = uploaded.gaps
        assert (gap.cause, gap.seconds) == ("disk_full", pytest.approx(60, abs=2))
        assert uploaded.completeness.score < 0.2

    def test_fetches_the_rest_of_what_ended_meanwhile(self, world):
        world.shortages = [(10, 30)]
        world.rest = 5.0
        world.site_answers = [*world.site_answers, OVER]
        assert world.record(min_free_disk=10) is Outcome.DELIVERED
        assert [stream.is_rest for stream in world.streams] == [False, True]
        assert [ended.why for ended in world.facts(RecordingEnded)] == ["ended"]
        assert ENDED in world.ends.values()


class Disk:
    """The disk of the tests, of which a recorder is told to leave all but a GiB free."""

    def __init__(self, folder):
        self._ballast = folder / "ballast"
        self.least = shutil.disk_usage(folder).free - GIB

    def fill(self):
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 2 * GIB)

    def empty(self):
        self._ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    opened = Disk(tmp_path)
    yield opened
    opened.empty()


@pytest.fixture(params=["local", "s3"])
def recorder(request, job, disk):
    """A recorder into a folder or a bucket."""
    job.env["CHRONICLE_MIN_FREE_DISK"] = str(disk.least)
    if request.param == "s3":
        job.env["S3_BUCKET"] = f"full-{uuid4().hex[:8]}"
    return job


def facts(job, kind):
    return [event.data for event in job.events() if isinstance(event.data, kind)]


def logged(job, event):
    return f'"event": "{event}"' in job.log.read_text()


class TestFullDisk:
    def test_costs_nothing_that_the_source_still_has(self, recorder, origin, disk):
        origin.window = 100
        recorder.launch().until_recorded(6)
        disk.fill()
        recorder.until(lambda: logged(recorder, "disk_full"))
        stood = origin.newest
        origin.wait_for(stood + 20)
        disk.empty()
        recorder.until(lambda: logged(recorder, "disk_has_room"))
        origin.wait_for(origin.newest + 10)
        origin.end()
        assert recorder.wait() == 0, recorder.log.read_text()
        [uploaded] = facts(recorder, Uploaded)
        assert uploaded.gaps == ()
        assert uploaded.completeness.segments_kept == uploaded.completeness.segments_expected
        assert uploaded.duration > stood + 20

    def test_that_stays_full_ends_in_what_was_kept_and_says_so(self, job, disk):
        job.launch(
            CHRONICLE_MIN_FREE_DISK=str(disk.least), CHRONICLE_IDLE_TIMEOUT="7", **NOWHERE
        ).until_recorded(6)
        disk.fill()
        job.wait()
        [ended] = facts(job, RecordingEnded)
        assert ended.why == "failed"
        [interrupted] = facts(job, CaptureInterrupted)
        assert interrupted.cause == "disk_full"
        [uploaded] = facts(job, Uploaded)
        assert [gap.cause for gap in uploaded.gaps] == ["disk_full"]
        assert uploaded.completeness.score < 1
        seconds, _, _ = probed(job.recording)
        assert packets(job.recording) == pytest.approx(seconds * 25, abs=2)
        name = KEY.rpartition("/")[2]
        assert job.left_files() == [name, f"{name}.journal.jsonl", f"{name}.manifest.json"]
