"""The recorder as a process, from outside: what it records, says and leaves."""

import json
import signal
import time

import pytest
from chronicle_contracts.recorder import (
    Heartbeat,
    RecordingEnded,
    RecordingFailed,
    RecordingStarted,
    Uploaded,
)
from chronicle_messaging import Bus, MessagingSettings
from chronicle_storage import StorageSettings, open_store

from services.recorder.tests.origin import HLS, Origin, make_segments
from services.recorder.tests.process import KEY, NOWHERE, Job, packets, probed

# All is recorded and delivered, only the endpoint has not heard of it.
DONE_UNSAID = 69


def last(job, attempt=1):
    return job.events(attempt)[-1]


def delivered(job):
    """A recording, and what is told about it beside it."""
    return [job.recording.name + suffix for suffix in ("", ".journal.jsonl", ".manifest.json")]


def facts(job, kind, attempt=1):
    return [event.data for event in job.events(attempt) if isinstance(event.data, kind)]


class TestRecorder:
    def test_records_to_the_end_mark_and_delivers_one_verified_file(self, job, origin):
        job.launch().until_recorded(5)
        origin.end()
        assert job.wait() == 0

        [started] = facts(job, RecordingStarted)
        assert (started.protocol, started.media.video_codec) == ("hls", "h264")
        assert (started.media.width, started.media.height, started.media.fps) == (320, 180, 25)
        assert [ended.why for ended in facts(job, RecordingEnded)] == ["ended"]
        assert {beat.phase for beat in facts(job, Heartbeat)} >= {"RECORDING", "UPLOADING"}
        event = last(job)
        assert event.sealed
        uploaded = event.data
        assert isinstance(uploaded, Uploaded)
        assert uploaded.size == job.recording.stat().st_size
        seconds, video, audio = probed(job.recording)
        assert (video, audio) == ("h264", "aac")
        assert uploaded.duration == pytest.approx(seconds)
        assert uploaded.gaps == ()
        # Every picture of the segments is in the file, and nothing twice.
        assert packets(job.recording) == pytest.approx(seconds * 25, abs=2)
        assert [event.sequence for event in job.events()] == list(range(1, event.sequence + 1))

    def test_asks_for_another_address_before_the_one_it_has_expires(self, job, origin):
        origin.lifetime, origin.window, origin.pace = 15, 100, 0.3
        job.url = origin.url("master.m3u8")
        job.launch().until(lambda: job.log.read_text().count('"event": "resolved"') >= 2)
        job.until(lambda beyond=origin.newest: origin.newest > beyond + 12)
        origin.end()
        assert job.wait() == 0
        uploaded = last(job).data
        assert uploaded.gaps == ()
        # Nothing twice, nothing missing, over the change of address.
        assert packets(job.recording) == pytest.approx(uploaded.duration * 25, abs=2)

    def test_leaves_its_journal_beside_the_recording_and_nothing_else(self, job, origin):
        job.launch(CHRONICLE_MAX_DURATION="4", **NOWHERE)
        assert job.wait() == DONE_UNSAID, "the recording did not wait for the endpoint"
        journal = job.recordings / f"{KEY}.journal.jsonl"
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
        assert lines[-1]["type"] == Uploaded.TYPE
        assert job.left_files() == delivered(job)

        [ended] = facts(job, RecordingEnded)
        assert ended.why == "max_duration"
        seconds, _, _ = probed(job.recording)
        assert seconds >= 4
        assert seconds == pytest.approx(ended.media_seconds, abs=1)
        assert "geheim" not in job.log.read_text()

    def test_keeps_what_was_recorded_when_it_is_told_to_go(self, job, origin, tmp_path):
        job.launch().until_recorded(4)
        twin = Job(tmp_path, origin.url(), job.env).launch(attempt=2)
        assert twin.wait() == 75, "one recorder per job at a time"
        assert job.send(signal.SIGTERM).wait() == 0
        assert [ended.why for ended in facts(job, RecordingEnded)] == ["terminated"]
        seconds, video, audio = probed(job.recording)
        assert seconds >= 4
        assert (video, audio) == ("h264", "aac")

        before = job.recording.stat().st_mtime_ns
        assert job.launch(attempt=2).wait() == 0
        assert job.events(attempt=2) == [], "it was delivered; there is nothing to say"
        assert job.recording.stat().st_mtime_ns == before

    def test_leaves_nothing_when_it_is_discarded(self, job):
        job.launch().until_recorded(3).ask(stop="discard").send(signal.SIGTERM)
        assert job.wait() == 0
        assert last(job).sealed
        assert last(job).data.why == "discarded"
        assert job.left_files() == []

    def test_joins_what_a_killed_attempt_saved_without_losing_a_picture(self, job, origin):
        origin.window = 200
        job.launch().until_recorded(3).send(signal.SIGKILL).wait()
        saved = origin.newest
        job.launch(attempt=2).until(lambda: job.started(attempt=2))
        origin.wait_for(saved + 6)
        origin.end()
        assert job.wait() == 0

        uploaded = last(job, attempt=2).data
        assert isinstance(uploaded, Uploaded)
        assert (uploaded.key, uploaded.gaps) == (KEY, ())
        seconds, video, audio = probed(job.recording)
        assert (video, audio) == ("h264", "aac")
        assert seconds == pytest.approx(uploaded.duration)
        # From the live edge, three segments back, to the end mark; the segment that was on its
        # way when the recorder was killed may be there twice.
        assert packets(job.recording) == pytest.approx(25 * origin.newest, abs=26)
        assert job.left_files() == delivered(job)

    def test_delivers_what_was_saved_when_the_stream_is_over(self, job, origin):
        job.launch().until_recorded(3).send(signal.SIGKILL).wait()
        origin.end()
        assert job.launch(attempt=2).wait() == 0
        assert [ended.why for ended in facts(job, RecordingEnded, attempt=2)] == ["ended"]
        seconds, _, _ = probed(job.recording)
        assert seconds >= 3


class TestRecorderWithoutAStream:
    def test_says_in_a_sentence_why_nothing_was_recorded(self, tmp_path, aws_env):
        job = Job(tmp_path, "http://127.0.0.1:9/live.m3u8?token=verysecret", aws_env)
        assert job.launch(CHRONICLE_START_TIMEOUT="1").wait() == 1
        event = last(job)
        assert event.sealed
        failed = event.data
        assert isinstance(failed, RecordingFailed)
        assert failed.code == "stream_never_started"
        assert "cannot be reached" in failed.detail
        assert 0 < len(failed.log_tail.encode()) <= 2048
        assert "verysecret" not in job.log.read_text() + failed.model_dump_json()
        assert job.left_files() == []

    def test_refuses_a_private_address_at_once(self, job):
        assert job.launch(CHRONICLE_ALLOW_PRIVATE_ADDRESSES="false").wait() == 1
        assert last(job).data.code == "forbidden_address"

    def test_names_a_bad_setting(self, job):
        assert job.launch(CHRONICLE_MAX_DURATION="soon").wait() == 78
        assert "CHRONICLE_MAX_DURATION" in job.log.read_text()


class TestRecorderOfSeparateTracks:
    def test_records_sound_and_picture_that_come_apart(self, tmp_path, aws_env):
        folder = tmp_path / "made"
        folder.mkdir()
        tracks = {
            "video": make_segments(folder, 80, kinds="v"),
            "audio": make_segments(folder, 80, kinds="a"),
        }
        origin = Origin(tracks)
        origin.pages["/master.m3u8"] = (
            200,
            HLS,
            '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=YES,URI="audio.m3u8"\n'
            "#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=320x180,"
            'CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a"\nvideo.m3u8\n',
        )
        job = Job(tmp_path, origin.url("master.m3u8"), aws_env)
        try:
            job.launch().until_recorded(5).send(signal.SIGTERM)
            assert job.wait() == 0
            seconds, video, audio = probed(job.recording)
            assert (video, audio) == ("h264", "aac")
            assert seconds >= 5
        finally:
            job.close()
            origin.close()


class TestRecorderOnTheEndpoint:
    def test_says_everything_in_order_and_delivers_into_a_bucket(self, job):
        queue = Bus.connect(MessagingSettings()).queue("portal")
        queue.receive(most=1)  # it must be there before anything is said
        bucket = "gala-recordings"
        assert job.launch(CHRONICLE_MAX_DURATION="4", S3_BUCKET=bucket).wait() == 0
        said: list[int] = []
        deadline = time.monotonic() + 60
        while len(said) < len(job.events()) and time.monotonic() < deadline:
            messages = queue.receive(most=10, wait=1)
            said += [json.loads(message.body)["sequence"] for message in messages]
            queue.delete(messages)
        assert said == [event.sequence for event in job.events()]
        stored = open_store(StorageSettings(bucket=bucket)).stat(KEY)
        assert stored is not None
        assert stored.size == last(job).data.size
        assert job.left_files() == []
