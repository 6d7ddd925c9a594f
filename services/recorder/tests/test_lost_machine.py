"""A recorder that is lost with its machine, and the next attempt on another one."""

import json
import shutil
import signal
from uuid import uuid4

import pytest
from chronicle_contracts.recorder import Heartbeat, RecordingEnded, Uploaded
from chronicle_storage import RecordingStore, StorageSettings, open_store

from services.recorder.tests.process import KEY, Job, packets, probed

MOST_LOST = 10.0  # seconds of media
MOST_UNTRUE = 2.0  # seconds between what is lost and what gaps say


@pytest.fixture(params=["local", "s3"])
def store(request, job) -> RecordingStore:
    """Where the job records to: a folder that outlives the machine, or a bucket."""
    if request.param == "local":
        return open_store(StorageSettings(recordings=job.recordings))
    job.env["S3_BUCKET"] = f"lost-{uuid4().hex[:8]}"
    return open_store(StorageSettings(bucket=job.env["S3_BUCKET"]))


def facts(job: Job, kind, attempt):
    return [event.data for event in job.events(attempt) if isinstance(event.data, kind)]


def lose_the_machine(job: Job) -> float:
    """Kill the recorder and delete its folder; return the seconds that it had recorded."""
    job.send(signal.SIGKILL).wait()
    recorded: float = max(beat.media_seconds for beat in facts(job, Heartbeat, 1))
    shutil.rmtree(job.work)
    job.work.mkdir()
    return recorded


def noted(store: RecordingStore) -> bytes:
    """Return what the first attempt has left in the store of what it has said."""
    name = f"{KEY}.attempt-1.notes"
    return b"".join(store.read(name)) if store.stat(name) else b""


class TestLostMachine:
    @pytest.mark.parametrize(
        ("store", "window"),
        # A start takes longer than the shorter one; the others are wider than all there is.
        [("local", 300), ("s3", 300), ("s3", 16)],
        indirect=["store"],
    )
    def test_costs_seconds_and_not_the_recording(self, job, origin, store, tmp_path, window):
        origin.window = window
        job.launch().until_recorded(12)
        before = lose_the_machine(job)
        saved = origin.newest
        job.launch(attempt=2).until(lambda: job.started(attempt=2))
        origin.wait_for(saved + 8)
        origin.end()
        assert job.wait() == 0, job.log.read_text()

        uploaded = job.events(attempt=2)[-1].data
        assert isinstance(uploaded, Uploaded)
        [ended] = facts(job, RecordingEnded, attempt=2)
        assert ended.media_seconds > 0
        made = json.loads(b"".join(store.read(uploaded.manifest_key)))
        first, second = made["attempts"]
        numbers = [one["sequence"] for one in made["segments"]]
        published = origin.newest + 1 - numbers[0]
        # The first one's last note may be older than its last segments: this counts them twice.
        own = second["media_seconds"] - first["media_seconds"]
        recorded = min(before + own, published)
        assert uploaded.duration >= recorded - MOST_LOST

        one = tmp_path / "fetched.mkv"
        with one.open("wb") as file:
            file.writelines(store.read(KEY))
        assert one.stat().st_size == uploaded.size
        seconds, video, audio = probed(one)
        assert (video, audio) == ("h264", "aac")
        assert seconds == pytest.approx(uploaded.duration)
        assert packets(one) >= 25 * (recorded - MOST_LOST)
        # What the lost one knew is known: its run, its segments, what it cost to lose it.
        assert (first["run"], second["run"]) == ("gala.1", "gala.2")
        assert numbers[0] < 4
        assert numbers[-1] == origin.newest
        assert len(numbers) == len(set(numbers)), "what was fetched twice is there once"
        assert uploaded.completeness.wall_seconds is not None
        assert uploaded.completeness.segments_expected == published, "all are kept or missed"
        lost, said = published - uploaded.duration, sum(gap.seconds for gap in uploaded.gaps)
        if window > 16:
            assert lost <= MOST_UNTRUE, "all was still there to be fetched"
        # No more can be missing than time has passed; here a segment comes every 0.15 s.
        assert said <= lost + MOST_UNTRUE
        assert lost <= MOST_UNTRUE or said > 1
        assert {gap.cause for gap in uploaded.gaps} <= {"segments left the playlist", "not saved"}
        assert store.unfinished(KEY) == []
        assert store.aside(KEY) == []
        name = KEY.rpartition("/")[2]
        names = [name, f"{name}.journal.jsonl", f"{name}.manifest.json"]
        assert job.left_files() in ([], names), "nothing but the recording and what it says"

    def test_takes_back_what_it_missed_and_the_next_attempt_fetched(self, job, origin):
        job.env |= {"S3_BUCKET": f"lost-{uuid4().hex[:8]}", "CHRONICLE_FLUSH_INTERVAL": "5"}
        store = open_store(StorageSettings(bucket=job.env["S3_BUCKET"]))
        origin.window = 300  # however long the second one takes to come
        job.launch().until(lambda: any(beat.bytes_durable for beat in facts(job, Heartbeat, 1)))
        origin.missing = {origin.newest + 2}
        job.until(lambda: b"segment unavailable" in noted(store))
        lose_the_machine(job)
        [number], origin.missing = origin.missing, set()
        job.launch(attempt=2).until(lambda: job.started(attempt=2))
        origin.wait_for(number + 8)
        origin.end()
        assert job.wait() == 0, job.log.read_text()

        uploaded = job.events(attempt=2)[-1].data
        assert isinstance(uploaded, Uploaded)
        made = json.loads(b"".join(store.read(f"{KEY}.manifest.json")))
        is_there = number in {one["sequence"] for one in made["segments"]}
        causes = {gap.cause for gap in uploaded.gaps}
        # On a machine that stands still for seconds it was stored by then that it is missing.
        assert ("segment unavailable" in causes) == (not is_there)
        assert causes <= {"segment unavailable", "not saved"}
        assert made["gaps"] == [gap.model_dump(mode="json") for gap in uploaded.gaps]
        kept = len(made["segments"])
        assert uploaded.completeness.segments_kept == kept
        assert uploaded.completeness.segments_expected == kept + (not is_there)

    def test_delivers_what_was_saved_when_the_stream_is_over(self, job, origin, store):
        job.launch().until_recorded(12)
        before = lose_the_machine(job)
        origin.end()
        assert job.launch(attempt=2).wait() == 0, job.log.read_text()
        uploaded = job.events(attempt=2)[-1].data
        assert isinstance(uploaded, Uploaded)
        assert uploaded.duration >= before - MOST_LOST
        stored = store.stat(KEY)
        assert stored is not None
        assert stored.size == uploaded.size

    def test_begins_anew_where_nothing_was_stored_yet(self, job, origin):
        job.env |= {"S3_BUCKET": f"lost-{uuid4().hex[:8]}", "CHRONICLE_FLUSH_INTERVAL": "3600"}
        store = open_store(StorageSettings(bucket=job.env["S3_BUCKET"]))
        origin.pace = 1.0  # as in life: what is missing of an unknown beginning, the clock tells
        job.launch().until(lambda: b"RecordingStarted" in noted(store))
        lose_the_machine(job)
        origin.wait_for(origin.newest + 5)  # more than any source gives at once
        job.launch(attempt=2).until(lambda: job.started(attempt=2))
        origin.wait_for(origin.newest + 2)
        origin.end()
        assert job.wait() == 0, job.log.read_text()
        uploaded = job.events(attempt=2)[-1].data
        assert isinstance(uploaded, Uploaded)
        [gap] = uploaded.gaps
        assert (gap.cause, gap.at_media_seconds) == ("recorder restarted", 0)
        made = json.loads(b"".join(store.read(f"{KEY}.manifest.json")))
        assert len(made["segments"]) == uploaded.completeness.segments_kept
        assert len(made["segments"]) == pytest.approx(uploaded.duration, abs=0.5)
