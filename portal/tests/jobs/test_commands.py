from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from chronicle_contracts import JobStatus, decode, naming
from django.db import connection
from portal.eventlog.inbox import Inbox
from portal.eventlog.models import LoggedEvent, StoredEvent
from portal.eventlog.store import outbox
from portal.jobs import commands
from portal.jobs.errors import BadRequest, JobExists, JobNotFound, WrongStatus
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.requests import JobRequest

from tests.fixtures.story import NOON, URL, Story

pytestmark = pytest.mark.django_db

ASKED = JobRequest(url=URL, id="concert", filename="Concert in the Park", requested_by="archivist")


def given(story, *, after=1):
    """Let the portal hear a story; its first `after` events were the portal's own."""
    asked = story.events[0].data
    commands.request_job(
        JobRequest(url=asked.url, id=story.job_id, max_duration=asked.max_duration),
        now=lambda: story.events[0].time,
    )
    Inbox(refold).record(story.events[after:])
    return story


def running():
    return Story().requested().accepted().launched().recording()


def said():
    """Return what the outbox holds, as the relay would publish it."""
    return [decode(one.state) for one in outbox().select_notifications(None, 100)]


class TestRequest:
    def test_makes_a_job_that_can_be_read_at_once(self):
        made = commands.request_job(ASKED, now=lambda: NOON)
        assert made.created
        assert made.job == Job.objects.get(id="concert")
        assert made.job.status == JobStatus.PENDING
        assert made.job.filename == "Concert-in-the-Park.mkv"
        assert made.job.key == naming.recording_key("concert", made.job.filename, NOON)
        assert made.job.requested_at == NOON
        assert made.job.requested_by == "archivist"

    def test_says_it_and_logs_it(self):
        commands.request_job(ASKED)
        assert [one.type for one in said()] == ["chronicle.portal.JobRequested.v1"]
        logged = LoggedEvent.objects.get()
        assert decode(logged.envelope) == said()[0]
        assert logged.source == "/portal"

    def test_returns_the_job_of_the_same_request(self):
        commands.request_job(ASKED, now=lambda: NOON)
        again = commands.request_job(ASKED, now=lambda: NOON + timedelta(days=2))
        assert not again.created
        assert again.job.requested_at == NOON
        assert StoredEvent.objects.count() == 1

    @pytest.mark.parametrize(
        ("other", "field"),
        [
            (JobRequest(url=URL + "?other", id="concert", filename="Concert in the Park"), "url"),
            (JobRequest(url=URL, id="concert"), "filename"),
            (
                JobRequest(url=URL, id="concert", filename="Concert in the Park", max_duration=5),
                "max_duration",
            ),
        ],
    )
    def test_refuses_an_id_of_another_request(self, other, field):
        commands.request_job(ASKED)
        with pytest.raises(JobExists, match=field):
            commands.request_job(other)

    def test_gives_a_job_without_an_id_one_of_its_own(self):
        first, second = (commands.request_job(JobRequest(url=URL)).job for _ in range(2))
        assert first.id != second.id
        assert naming.is_job_id(first.id)
        assert first.filename == "example.org-live.mkv"

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("file:///etc/passwd", "forbidden_scheme"),
            ("live.m3u8", "forbidden_scheme"),
            ("https://user:secret@example.org/", "bad_url"),
            ("http://127.0.0.1/", "forbidden_address"),
            ("http://2130706433/", "forbidden_address"),
            ("http://[::ffff:10.0.0.1]/", "forbidden_address"),
            ("http://169.254.169.254/latest", "forbidden_address"),
            ("http://localhost:8000/", "forbidden_address"),
            ("https://example.org/\n", "bad_url"),
            ("https://example.org/" + "x" * 3000, "bad_url"),
        ],
    )
    def test_refuses_what_must_not_be_fetched(self, url, code):
        with pytest.raises(BadRequest) as refused:
            commands.request_job(JobRequest(url=url))
        assert (refused.value.code, refused.value.field) == (code, "url")
        assert "secret" not in refused.value.detail
        assert not Job.objects.exists()

    @pytest.mark.parametrize(
        ("request_", "field"),
        [
            (JobRequest(url=URL, id="../x"), "id"),
            (JobRequest(url=URL, max_duration=0), "max_duration"),
            (JobRequest(url=URL, max_duration=float("nan")), "max_duration"),
            (JobRequest(url=URL, start_at=datetime(2026, 1, 1)), "start_at"),  # noqa: DTZ001
            (JobRequest(url=URL, quality="b" * 500), "quality"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, request_, field):
        with pytest.raises(BadRequest) as refused:
            commands.request_job(request_)
        assert refused.value.field == field

    def test_asks_no_name_server(self):
        made = commands.request_job(JobRequest(url="https://no-such-host.invalid/live"))
        assert made.created


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_make_one_job_of_one_request(self):
        def ask(_):
            try:
                return commands.request_job(ASKED).created
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            created = list(pool.map(ask, range(16)))
        assert created.count(True) == 1
        assert StoredEvent.objects.count() == LoggedEvent.objects.count() == 1

    def test_keep_every_command_of_one_job(self):
        commands.request_job(ASKED)
        seconds = count(10)

        def extend(_):
            try:
                commands.extend_job("concert", float(next(seconds)))
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(extend, range(16)))
        events = said()
        assert [event.sequence for event in events] == list(range(1, 18))
        assert [decode(one.envelope) for one in LoggedEvent.objects.all()] == events


class TestStop:
    def test_is_said_and_shown(self):
        given(running())
        job = commands.stop_job("concert", mode="discard", by="archivist")
        assert (job.status, job.stop_mode) == (JobStatus.STOPPING, "discard")
        stop = said()[-1]
        assert stop.type == "chronicle.portal.StopRequested.v1"
        assert stop.data.model_dump() == {"mode": "discard", "requested_by": "archivist"}

    def test_may_come_twice(self):
        given(running())
        commands.stop_job("concert")
        commands.stop_job("concert")
        assert len(said()) == 2

    def test_may_turn_from_keep_to_discard_and_not_back(self):
        given(running())
        commands.stop_job("concert", mode="keep")
        assert commands.stop_job("concert", mode="discard").stop_mode == "discard"
        with pytest.raises(WrongStatus, match="being discarded"):
            commands.stop_job("concert", mode="keep")

    def test_makes_no_sense_after_the_end(self):
        given(running().failed())
        with pytest.raises(WrongStatus, match="FAILED"):
            commands.stop_job("concert")

    def test_needs_a_job(self):
        with pytest.raises(JobNotFound, match="nothing"):
            commands.stop_job("nothing")


class TestExtend:
    def test_sets_the_longest_duration(self):
        given(Story().requested(max_duration=60))
        assert commands.extend_job("concert", 120).max_duration == 120
        assert commands.extend_job("concert", None).max_duration is None
        assert len(said()) == 3

    def test_says_nothing_where_nothing_changes(self):
        given(Story().requested(max_duration=60))
        commands.extend_job("concert", 60)
        assert len(said()) == 1

    def test_makes_no_sense_while_stopping(self):
        given(running())
        commands.stop_job("concert")
        with pytest.raises(WrongStatus, match="STOPPING"):
            commands.extend_job("concert", 90)


class TestRetry:
    def test_starts_again_what_failed(self):
        given(running().failed())
        job = commands.retry_job("concert")
        assert (job.status, job.error) == (JobStatus.PENDING, None)
        assert said()[-1].type == "chronicle.portal.RetryRequested.v1"

    def test_makes_no_sense_for_what_was_recorded(self):
        given(Story.whole())
        with pytest.raises(WrongStatus, match="COMPLETED"):
            commands.retry_job("concert")


class TestNoteDeletion:
    def test_is_said_once(self):
        given(Story.whole())
        at = datetime(2026, 6, 1, tzinfo=UTC)
        for _ in range(2):
            job = commands.note_deletion("concert", reason="retention", now=lambda: at)
        assert job.recording is not None
        assert job.recording["deleted_at"] == "2026-06-01T00:00:00Z"
        assert len(said()) == 2

    def test_needs_a_recording(self):
        given(running())
        with pytest.raises(WrongStatus, match="none"):
            commands.note_deletion("concert", reason="retention")


class TestAtomicity:
    def test_leaves_nothing_where_the_read_model_cannot_be_written(self, monkeypatch):
        def fails(_):
            raise RuntimeError("disk full")

        monkeypatch.setattr(commands, "refold", fails)
        with pytest.raises(RuntimeError):
            commands.request_job(ASKED)
        assert not StoredEvent.objects.exists()
        assert not LoggedEvent.objects.exists()
        monkeypatch.undo()
        assert commands.request_job(ASKED).created
