import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from chronicle_local.sample import LiveSample
from chronicle_local.static import FolderServer

from tests.e2e.running import RunningStack, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SHORT = 5.0  # seconds of media
BACKLOG = 6.0  # seconds of media that a sample offers when a recorder first sees it
SLACK = 3.5  # a stop takes effect at the end of a segment, and a second or two after it was asked


@contextmanager
def dispatcher(running: RunningStack, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one more dispatcher beside that of the stack."""
    log = running.home / "logs" / "second-dispatcher.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dispatcher"],
            env={**running.stack.environment, **changes},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
        assert process.poll() is None, f"the second dispatcher ended: {log.read_text()[-2000:]}"
    finally:
        process.terminate()
        process.wait(30)


def is_said_once(running: RunningStack, job_id: str) -> None:
    """Hold that the log tells the job's story once, without a hole, to its end."""
    events = running.events(job_id)
    assert len({event["id"] for event in events}) == len(events)
    streams: dict[str, list[int]] = {}
    for event in events:
        streams.setdefault(event["stream"], []).append(event["sequence"])
    for stream, sequences in streams.items():
        assert sorted(sequences) == list(range(1, len(sequences) + 1)), stream
    for name in ("JobRequested", "JobAccepted", "Uploaded", "TorrentCreated"):
        assert running.count(job_id, name) == 1, f"{name}: {running.story(job_id)}"


def is_whole(running: RunningStack, job_id: str, *, least: float, most: float) -> None:
    """Hold that the job completed with a file that plays for so many seconds."""
    job = running.ends(job_id, timeout=120)
    assert job["status"] == "COMPLETED", running.story(job_id)
    found = running.playable(job)
    assert (found.container, found.video, found.audio) == ("matroska", "h264", "aac")
    assert least <= found.decoded <= most, f"{found}: {running.story(job_id)}"
    assert abs(found.duration - found.decoded) < 0.5, found
    assert abs(job["recording"]["duration"] - found.decoded) < 0.5, job["recording"]


class TestManyAtOnce:
    def test_record_side_by_side(self, running: RunningStack, live_samples):
        jobs = [running.submit(live_samples().url, max_duration=SHORT) for _ in range(3)]
        until(
            lambda: len(running.recorders()) == 3,
            lambda: "\n".join(map(running.story, jobs)),
            timeout=90,
        )
        for job_id in jobs:
            is_whole(running, job_id, least=SHORT - 1, most=SHORT + SLACK)
            is_said_once(running, job_id)
            running.leaves_no_trace(job_id)


class TestTheSameRequest:
    def test_makes_one_recording_however_often_and_to_however_many_it_is_said(
        self, running: RunningStack, live_sample: LiveSample
    ):
        with dispatcher(running):
            job_id = running.submit(live_sample.url, max_duration=SHORT)
            requested = running.api.get(f"/jobs/{job_id}/events").json()["results"][0]["event"]
            assert requested["type"] == "chronicle.portal.JobRequested.v1"
            deliver(running, "dispatcher", requested, times=5)
            is_whole(running, job_id, least=SHORT - 1, most=SHORT + SLACK)
        is_said_once(running, job_id)
        assert running.count(job_id, "RecorderLaunched") == 1
        assert running.count(job_id, "RecordingStarted") == 1
        running.leaves_no_trace(job_id)

    def test_sent_twice_makes_one_job(self, running: RunningStack):
        body = {"url": "https://example.invalid/live", "id": f"e2e-{uuid4().hex[:10]}"}
        first, second = (running.api.post("/jobs", json=body) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert running.ends(body["id"])["status"] == "REJECTED"


def deliver(running: RunningStack, queue: str, event: dict[str, object], *, times: int) -> None:
    """Put an event straight into a service's queue, past the queue's own deduplication."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=running.stack.settings.aws_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    address = sqs.get_queue_url(QueueName=f"chronicle-{queue}.fifo")["QueueUrl"]
    for _ in range(times):
        sqs.send_message(
            QueueUrl=address,
            MessageBody=json.dumps(event),
            MessageGroupId=str(event["subject"]),
            MessageDeduplicationId=uuid4().hex,
        )


class TestKilled:
    def test_processes_cost_no_recording_and_say_nothing_twice(
        self, running: RunningStack, live_sample: LiveSample
    ):
        job_id = running.submit(live_sample.url)
        running.records(job_id, 1)
        for name in ("portal-web", "portal-ingest", "portal-relay", "dispatcher", "seeder", "aws"):
            running.kill(name)
        (recorder,) = running.recorders(job_id)
        seen = running.media(running.records(job_id, 1))
        recorder.send(signal.SIGKILL)
        running.reaches(job_id, {"RECORDING"}, timeout=90)
        until(
            lambda: running.count(job_id, "RecordingStarted") == 2,
            lambda: running.story(job_id),
            timeout=90,
        )
        running.records(job_id, seen + 2)
        running.stop(job_id)
        job = running.ends(job_id, timeout=120)
        clock = recorded_for(running, job_id)
        missing = sum(gap["seconds"] for gap in job["recording"]["gaps"])
        # What a killed recorder had not yet made durable is lost: at most 10 s (and is listed).
        # A recording begins with the segments that the playlist has, so a bit in the past.
        is_whole(running, job_id, least=clock - 10 - SLACK, most=clock + BACKLOG + SLACK)
        assert missing <= 10 + SLACK, job["recording"]["gaps"]
        is_said_once(running, job_id)
        assert running.count(job_id, "RecorderLost") == 1
        running.leaves_no_trace(job_id)
        read_models_are_what_the_log_says(running)


def recorded_for(running: RunningStack, job_id: str) -> float:
    """Return the wall-clock seconds between the first media and the end of the recording."""
    times = {
        name: [
            datetime.fromisoformat(event["time"])
            for event in running.events(job_id)
            if event["type"].split(".")[2] == name
        ]
        for name in ("RecordingStarted", "RecordingEnded")
    }
    return (max(times["RecordingEnded"]) - min(times["RecordingStarted"])).total_seconds()


def read_models_are_what_the_log_says(running: RunningStack) -> None:
    command = [sys.executable, str(running.stack.root / "portal" / "manage.py"), "verify"]
    done = subprocess.run(
        command,
        cwd=running.stack.root,
        env=dict(running.stack.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class TestEndpointAway:
    def test_delays_events_and_loses_none(self, running: RunningStack, live_samples):
        under_way = running.submit(live_samples().url, max_duration=SHORT)
        running.records(under_way)
        running.stack.supervisor.stop_processes(["aws"], timeout=60)
        # A recording ends, is delivered, and cannot say so; a job is asked for that nobody hears.
        asked_for = running.submit(live_samples().url, max_duration=2)
        key = running.job(under_way)["key"]
        file = running.stack.settings.recordings_folder / key
        until(file.exists, lambda: f"{file} was not delivered", timeout=90)
        assert running.job(under_way)["status"] == "RECORDING"
        assert running.job(asked_for)["status"] == "PENDING"
        running.stack.supervisor.start_process("aws")
        is_whole(running, under_way, least=SHORT - 1, most=SHORT + SLACK)
        is_whole(running, asked_for, least=1, most=2 + SLACK)
        for job_id in (under_way, asked_for):
            is_said_once(running, job_id)
            running.leaves_no_trace(job_id)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[FolderServer]:
    """A site that has nothing to record."""
    (tmp_path / "page.html").write_text("<html><title>News</title><p>Nothing to see.</p></html>")
    (tmp_path / "never.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
    )
    server = FolderServer(tmp_path)
    server.start()
    yield server
    server.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a host that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/live.m3u8"


class TestBadInput:
    def test_ends_with_a_code_and_a_sentence_and_leaves_nothing(
        self, running: RunningStack, pages: FolderServer, silent: str
    ):
        bad = {
            f"{pages.url}/page.html": ("REJECTED", "no_stream"),
            f"{pages.url}/gone.html": ("REJECTED", "not_found"),
            silent: ("REJECTED", "timeout"),
            "http://does-not-exist.invalid/live": ("REJECTED", "unreachable"),
            f"{pages.url}/never.m3u8": ("FAILED", "stream_never_started"),
        }
        jobs = {running.submit(url): expected for url, expected in bad.items()}
        for job_id, expected in jobs.items():
            job = running.ends(job_id, timeout=90)
            error = job["error"]
            assert (job["status"], error["code"]) == expected, running.story(job_id)
            assert len(error["detail"].split()) > 5, error
            assert job["recording"] is None
            running.leaves_no_trace(job_id)
            parts = list(running.home.rglob(f"{Path(job['key']).name}*"))
            assert parts == [], f"{job['url']} left {parts}"

    def test_of_a_scheme_that_is_not_of_the_web_is_refused_at_once(self, running: RunningStack):
        for url in ("ftp://example.org/live.ts", "file:///etc/passwd"):
            answer = running.api.post("/jobs", json={"url": url})
            assert answer.status_code == 400, url
            assert "only http and https" in answer.text.lower(), answer.text

    def test_that_leads_to_a_private_address_is_rejected(
        self, running: RunningStack, live_sample: LiveSample
    ):
        running.stack.supervisor.stop_processes(["dispatcher"], timeout=90)
        try:
            with dispatcher(running, CHRONICLE_ALLOW_PRIVATE_ADDRESSES="false"):
                job_id = running.submit(live_sample.url)
                job = running.ends(job_id, timeout=90)
        finally:
            running.stack.supervisor.start_process("dispatcher")
        assert (job["status"], job["error"]["code"]) == ("REJECTED", "forbidden_address")
        assert "not public" in job["error"]["detail"]
        running.leaves_no_trace(job_id)
