from __future__ import annotations

import pytest
from django.utils import timezone
from portal.api import metrics
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import ParkedJob
from portal.jobs.readmodel import refold
from portal.replay import vitals, work
from portal.replay.records import Call
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.story import NOON, Story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_process_of_its_own(monkeypatch):
    monkeypatch.setattr(metrics, "_TYPES", vitals.TypeCounts())


@pytest.fixture
def figures(api):
    """Scrape: samples by name and the value of their one label."""

    def scrape(path="/metrics"):
        answer = api("viewer").get(path)
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return scrape


class TestMetrics:
    def test_are_for_viewers(self, api):
        assert api(None).get("/metrics").status_code == 401
        assert api("viewer").get("/api/v1/metrics").status_code == 200

    def test_count_what_is_in_the_log_and_what_is_wrong_with_it(self, figures, hear):
        hear(Story.whole())  # its first run was lost and has no last word
        hear(Story("bad").requested())
        ParkedJob.objects.create(job_id="bad", error="TypeError", parked_at=NOON)
        Inbox(refold).receive([Arrival("{broken")])
        work.enqueue(Call(), "verify", {})
        found = figures()
        assert found["chronicle_log_events_total", "chronicle.portal.JobRequested.v1"] == 2
        assert found["chronicle_stream_gaps", "tail"] == 1
        assert found["chronicle_stream_gaps", "hole"] == 0
        assert found[("chronicle_quarantined_messages",)] == 1
        assert found[("chronicle_parked_jobs",)] == 1
        assert found["chronicle_jobs", "COMPLETED"] == 1
        assert found["chronicle_service_owed_jobs", "dispatcher"] == 1
        assert found["chronicle_service_silent", "dispatcher"] == 1
        assert found["chronicle_service_silent", "seeder"] == 0
        assert found["chronicle_service_heard_timestamp_seconds", "seeder"] > NOON.timestamp()
        assert found["chronicle_replays", "queued"] == 1

    def test_count_on_from_the_last_look(self, figures, hear, django_assert_max_num_queries):
        hear(Story("one").requested())
        assert figures()["chronicle_log_events_total", "chronicle.portal.JobRequested.v1"] == 1
        hear(Story("two").requested())
        assert figures()["chronicle_log_events_total", "chronicle.portal.JobRequested.v1"] == 2
        with django_assert_max_num_queries(30):
            figures()

    def test_tell_the_lag_of_what_was_heard_lately(self, figures, hear):
        hear(Story(at=timezone.now()).requested().accepted())
        assert ("chronicle_ingest_lag_seconds", "0.99") in figures()
        assert vitals.look(timezone.now() + vitals.RECENT).lags == ()

    def test_tell_how_deep_the_queues_are(self, figures, aws_env):
        found = figures()
        assert found[("chronicle_queues_up",)] == 1
        assert found["chronicle_queue_messages", "portal"] == 0
        assert found["chronicle_dead_letters", "seeder"] == 0

    def test_tell_that_the_queues_do_not_answer(self, figures, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        found = figures()
        assert found[("chronicle_queues_up",)] == 0
        assert not any(name[0] == "chronicle_dead_letters" for name in found)
