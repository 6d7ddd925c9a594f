from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from portal.api.idempotency import KEPT
from portal.api.models import IdempotencyKey
from portal.eventlog.models import LoggedEvent, StoredEvent
from portal.jobs.models import Job
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
URL = "https://example.org/live"
SOON = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def submit(api):
    client = api("operator")

    def post(key=None, **body):
        headers = {"idempotency-key": key} if key is not None else {}
        return client.post(JOBS, {"url": URL} | body, headers=headers)

    return post


class TestSubmitting:
    def test_answers_with_the_job_that_can_be_read_at_once(self, submit, api):
        answer = submit(filename="show", quality="best", live_from_start=True, max_duration=60)
        assert answer.status_code == 201
        job = answer.json()
        assert job["status"] == "PENDING"
        assert (job["filename"], job["quality"], job["max_duration"]) == ("show.mkv", "best", 60.0)
        assert job["requested_by"].startswith("operator-")
        assert answer["Location"].endswith(f"{JOBS}/{job['id']}")
        seen = api("viewer").get(answer["Location"]).json()
        assert [line["what"] for line in seen.pop("timeline")] == ["Recording requested"]
        assert seen == job

    def test_takes_null_for_what_was_left_out(self, submit):
        nothing = dict.fromkeys(["id", "filename", "quality", "max_duration", "start_at"])
        answer = submit(**nothing)
        assert answer.status_code == 201
        assert answer.json()["filename"] == "example.org-live.mkv"

    def test_puts_the_event_into_log_and_outbox(self, submit):
        job_id = submit().json()["id"]
        logged = LoggedEvent.objects.get()
        assert (logged.job_id, logged.type) == (job_id, "chronicle.portal.JobRequested.v1")
        assert StoredEvent.objects.count() == 1

    def test_takes_an_id_of_the_clients_once(self, submit):
        first, again = submit(id="mine"), submit(id="mine")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert Job.objects.count() == 1

    def test_with_a_taken_id_and_another_url_is_a_conflict(self, submit):
        submit(id="mine")
        answer = submit(id="mine", url=URL + "/other")
        assert answer.status_code == 409
        assert "another url" in answer.json()["detail"]

    def test_starts_later_when_asked_to(self, submit):
        answer = submit(start_at=SOON.isoformat())
        assert datetime.fromisoformat(answer.json()["start_at"]) == SOON

    def test_again_may_come_after_the_start_that_it_names(self, submit):
        submit(id="mine", start_at=SOON.isoformat())
        Job.objects.update(start_at=SOON)
        answer = submit(id="mine", start_at=SOON.isoformat())
        assert answer.status_code == 200


class TestIdempotencyKey:
    def test_makes_one_job_of_the_same_request(self, submit):
        first = submit("k-1", max_duration=5)
        again = submit("k-1", max_duration=5.0)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
        assert Job.objects.count() == LoggedEvent.objects.count() == 1

    def test_shows_the_job_as_it_is_now(self, submit, api):
        job_id = submit("k-1").json()["id"]
        api("operator").post(f"{JOBS}/{job_id}/stop")
        assert submit("k-1").json()["status"] == "STOPPING"

    def test_is_refused_with_another_request(self, submit):
        submit("k-1")
        answer = submit("k-1", max_duration=5)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:chronicle:problem:idempotency-key-reused"
        assert Job.objects.count() == 1

    def test_belongs_to_its_user(self, submit, api):
        first = submit("k-1").json()["id"]
        other = api("operator").post(JOBS, {"url": URL}, headers={"idempotency-key": "k-1"})
        assert other.status_code == 201
        assert other.json()["id"] != first

    def test_is_not_kept_where_the_request_was_refused(self, submit):
        assert submit("k-1", url="http://127.0.0.1/").status_code == 400
        assert not IdempotencyKey.objects.exists()
        assert submit("k-1").status_code == 201

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_that_is_empty_or_too_long_is_refused(self, submit, key):
        answer = submit(key)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"

    def test_is_forgotten_after_a_day(self, submit):
        assert submit("k-1").status_code == 201
        IdempotencyKey.objects.update(created_at=timezone.now() - KEPT)
        assert submit("k-1", max_duration=5).status_code == 201
        assert IdempotencyKey.objects.count() == 1


class TestValidation:
    @pytest.mark.parametrize(
        ("body", "field", "words"),
        [
            ({"url": ""}, "url", "give the address"),
            ({"url": None}, "url", "null"),
            ({"url": "not a url"}, "url", "http"),
            ({"url": "file:///etc/passwd"}, "url", "http and https"),
            ({"url": "ftp://example.org/x"}, "url", "http and https"),
            ({"url": "https://"}, "url", "not a URL"),
            ({"url": "https://exa mple.org/"}, "url", "not a URL"),
            ({"url": "https://example.org:99999/"}, "url", "not a URL"),
            ({"url": "https://me:pw@example.org/"}, "url", "password"),
            ({"url": "http://127.0.0.1/"}, "url", "not public"),
            ({"url": "http://169.254.169.254/latest/"}, "url", "not public"),
            ({"url": "http://[::1]/"}, "url", "not public"),
            ({"url": "http://0x7f000001/"}, "url", "not public"),
            ({"url": "https://example.org/" + "x" * 2048}, "url", "2048"),
            ({"id": "../x"}, "id", "letter or digit"),
            ({"id": "x" * 65}, "id", "letter or digit"),
            ({"filename": "../x"}, "filename", "no folders"),
            ({"filename": "a b"}, "filename", "no spaces"),
            ({"quality": "x" * 201}, "quality", "200"),
            ({"live_from_start": "perhaps"}, "live_from_start", "boolean"),
            ({"max_duration": 0}, "max_duration", "above 0"),
            ({"max_duration": -1}, "max_duration", "above 0"),
            ({"max_duration": "inf"}, "max_duration", "number of seconds"),
            ({"max_duration": "long"}, "max_duration", "number of seconds"),
            ({"max_duration": True}, "max_duration", "number of seconds"),
            ({"start_at": "tomorrow"}, "start_at", "2026-01-31T12:00:00Z"),
            ({"start_at": "2020-01-01T00:00:00Z"}, "start_at", "in the past"),
            ({"start_at": "2999-01-01T00:00:00Z"}, "start_at", "days ahead"),
            ({"max_durations": 5}, "max_durations", "no such field"),
        ],
    )
    def test_names_field_value_and_remedy(self, submit, body, field, words):
        answer = submit(**body)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        (error,) = answer.json()["errors"]
        assert error["field"] == field
        sent = body[field]
        assert error["value"] == (sent[:200] + "…" if len(str(sent)) > 200 else sent)
        assert words in error["detail"]
        assert not Job.objects.exists()

    def test_names_every_field_at_once(self, api):
        answer = api().post(JOBS, {"max_duration": 0, "id": "-"})
        assert {one["field"] for one in answer.json()["errors"]} == {"url", "max_duration", "id"}

    @pytest.mark.parametrize("body", ["[]", '"x"', "null", "{", '{"max_duration": NaN}'])
    def test_refuses_what_is_no_object(self, api, body):
        answer = api().post(JOBS, body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["title"]

    def test_needs_json(self, api):
        answer = api().post(JOBS, "url=x", content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 415


class TestSession:
    def test_needs_the_csrf_token_where_a_browser_sends_it(self, person):
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(person("operator"))
        answer = client.post(JOBS, {"url": URL})
        assert answer.status_code == 403
        assert "CSRF" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
class TestTogether:
    @pytest.mark.parametrize(
        ("body", "headers"),
        [({"url": URL}, {"idempotency-key": "k-1"}), ({"url": URL, "id": "mine"}, {})],
    )
    def test_the_same_request_at_the_same_moment_makes_one_job(self, api, body, headers):
        client = api("operator")
        at_once = threading.Barrier(4)

        def post(_):
            try:
                at_once.wait(60)
                answer = client.post(JOBS, body, headers=headers)
                return answer.status_code, answer.json()["id"]
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(post, range(4)))
        assert sorted(status for status, _ in answers) == [200, 200, 200, 201]
        assert len({job_id for _, job_id in answers}) == 1
        assert Job.objects.count() == LoggedEvent.objects.count() == 1
