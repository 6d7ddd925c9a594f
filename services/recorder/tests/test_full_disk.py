"""A disk that fills while something is recorded, and gets room again, or not."""

import os
import shutil
import signal
from datetime import timedelta
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
from recorder.domain.progress import Progress
from recorder.domain.room import Room
from recorder.ports import Wish

from services.recorder.tests.cast import ENDED, NOON, OVER, World
from services.recorder.tests.process import KEY, NOWHERE, packets, probed

GIB = 1024**3
CANNOT_CREATE = 73  # an exit code


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
        [failed] = world.facts(RecordingFailed)
        assert failed.code == "disk_full"
        assert "CHRONICLE_MIN_FREE_DISK" in failed.detail
        assert world.streams == []

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

    def test_waits_for_room_where_an_earlier_attempt_saved_something(self, world):
        after_a_fall(world).shortages = [(0, 30)]
        world.continues, world.ends = True, {60: ENDED}
        assert world.record(min_free_disk=10) is Outcome.DELIVERED
        assert len(world.streams) == 1
        [uploaded] = world.facts(Uploaded)
        assert uploaded.gaps == ()
        assert uploaded.duration == pytest.approx(130, abs=1)

    def test_delivers_what_that_saved_when_there_is_no_room_any_more(self, world):
        after_a_fall(world).shortages = [(0, 1000)]
        assert world.record(min_free_disk=10, idle_timeout=60) is Outcome.DELIVERED
        [uploaded] = world.facts(Uploaded)
        assert uploaded.duration == 100
        said = {gap.cause: gap.seconds for gap in uploaded.gaps}
        # Nobody recorded, then nobody could.
        assert said == {
            "recorder restarted": pytest.approx(20, abs=1),
            "disk_full": pytest.approx(60, abs=2),
        }


def after_a_fall(world):
    """Let an attempt have recorded a hundred seconds, twenty before this one begins."""
    before = NOON - timedelta(seconds=20)
    return world.after_an_attempt(
        lambda run: run.beat("RECORDING", Progress(media_seconds=100), at=before)
    )


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


def facts(job, kind, attempt=1):
    return [event.data for event in job.events(attempt) if isinstance(event.data, kind)]


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

    def test_that_is_full_at_the_beginning_is_a_failure_that_says_what_to_do(self, job, disk):
        disk.fill()
        least = str(disk.least)
        assert job.launch(CHRONICLE_MIN_FREE_DISK=least, **NOWHERE).wait() == 1
        [failed] = facts(job, RecordingFailed)
        assert failed.code == "disk_full"
        assert "Make room" in failed.detail
        assert job.events()[-1].sealed
        assert job.left_files() == []

    def test_that_is_full_when_the_next_attempt_begins_costs_nothing(self, recorder, origin, disk):
        origin.window = 200
        recorder.launch().until_recorded(6).send(signal.SIGKILL).wait()
        disk.fill()
        recorder.launch(attempt=2).until(lambda: logged(recorder, "disk_full"))
        origin.wait_for(origin.newest + 10)
        assert facts(recorder, RecordingFailed, attempt=2) == []
        disk.empty()
        recorder.until(lambda: recorder.started(attempt=2))
        origin.wait_for(origin.newest + 10)
        origin.end()
        assert recorder.wait() == 0, recorder.log.read_text()
        [uploaded] = facts(recorder, Uploaded, attempt=2)
        assert uploaded.gaps == ()
        kept = uploaded.completeness.segments_kept
        assert kept == uploaded.completeness.segments_expected
        assert uploaded.duration == pytest.approx(kept, abs=0.5)

    def test_that_takes_no_event_ends_the_attempt_at_once(self, job):
        (job.work / "events.sqlite").mkdir()  # as little can be written there as on a full disk
        assert job.launch(**NOWHERE).wait() == CANNOT_CREATE
        assert logged(job, "events_unwritable")
