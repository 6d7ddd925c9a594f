"""Attempts that are not alone: superseded ones, last ones, and those that are no longer wanted."""

import signal
from uuid import uuid4

import pytest
from chronicle_contracts.recorder import RecordingEnded, RecordingFailed, Uploaded
from chronicle_storage import StorageSettings, open_store

from services.recorder.tests.process import KEY, NOWHERE, Job, packets, probed

DONE_UNSAID, SUPERSEDED = 69, 77
DELIVER_ONLY = {"CHRONICLE_DELIVER_ONLY": "true"}


def facts(job, kind, attempt=1):
    return [event.data for event in job.events(attempt) if isinstance(event.data, kind)]


class TestLastAttempt:
    def test_delivers_what_was_saved_and_says_that_there_may_have_been_more(self, job, origin):
        job.launch(**NOWHERE).until_recorded(4).send(signal.SIGKILL).wait()
        asked = origin.newest
        assert job.launch(attempt=2, **NOWHERE, **DELIVER_ONLY).wait() == DONE_UNSAID
        [ended] = facts(job, RecordingEnded, attempt=2)
        assert ended.why == "failed"
        [uploaded] = facts(job, Uploaded, attempt=2)
        assert "given up" in {gap.cause for gap in uploaded.gaps}
        assert uploaded.completeness.score < 1
        seconds, _, _ = probed(job.recording)
        assert seconds >= 3
        assert packets(job.recording) == pytest.approx(seconds * 25, abs=2)
        assert asked > 0

    def test_fails_where_nothing_was_saved(self, job):
        assert job.launch(attempt=2, **NOWHERE, **DELIVER_ONLY).wait() == 1
        [failed] = facts(job, RecordingFailed, attempt=2)
        assert failed.code == "nothing_recorded"


class TestSupersededAttempt:
    def test_ends_and_harms_nothing(self, job, origin, tmp_path):
        bucket = f"superseded-{uuid4().hex[:8]}"
        job.env["S3_BUCKET"] = bucket
        other = Job(tmp_path / "other", origin.url(), job.env)
        origin.pace = 0.4
        try:
            job.launch().until_recorded(8)
            job.until(lambda: facts(job, RecordingEnded) == [] and _durable(job) > 0)
            other.launch(attempt=2)
            assert job.wait(60) == SUPERSEDED, job.log.read_text()
            assert facts(job, RecordingEnded) == []
            assert not any(event.sealed for event in job.events())
            other.until(lambda: other.started(attempt=2))
            origin.end()
            assert other.wait(60) == 0, other.log.read_text()
            [uploaded] = facts(other, Uploaded, attempt=2)
            assert uploaded.duration > 8
            store = open_store(StorageSettings(bucket=bucket))
            stored = store.stat(KEY)
            assert stored is not None
            assert stored.size == uploaded.size
            assert store.unfinished(KEY) == []
        finally:
            other.close()


class TestDiscard:
    def test_is_heard_while_the_store_is_away(self, job):
        away = {**NOWHERE, "S3_BUCKET": "nowhere", "AWS_MAX_ATTEMPTS": "1"}
        job.launch(CHRONICLE_MAX_DURATION="4", **away)
        job.until(lambda: facts(job, RecordingEnded) != [])
        job.ask(stop="discard")
        assert job.wait(60) == DONE_UNSAID, job.log.read_text()
        assert [ended.why for ended in facts(job, RecordingEnded)] == ["max_duration", "discarded"]
        assert job.events()[-1].sealed
        assert list(job.work.glob("*.mkv")) == []


def _durable(job):
    return max((getattr(event.data, "bytes_durable", 0) for event in job.events()), default=0)
