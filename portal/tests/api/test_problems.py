from __future__ import annotations

from base64 import b64encode

import pytest
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient
from rest_framework.throttling import AnonRateThrottle

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"


def is_problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    members = answer.json()
    assert members["status"] == status
    assert members["type"].startswith("urn:chronicle:problem:")
    assert members["title"]
    assert members["detail"]
    return members


class TestProblem:
    def test_of_a_missing_login_says_how(self):
        answer = APIClient().get(JOBS)
        assert "Bearer" in is_problem(answer, 401)["detail"]
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_of_a_missing_role_names_it(self, api):
        members = is_problem(api("viewer").post(JOBS, {"url": "https://example.org"}), 403)
        assert "operator" in members["detail"]

    def test_of_an_unknown_job_names_the_path(self, api):
        assert is_problem(api().get(f"{JOBS}/nothing"), 404)["instance"] == f"{JOBS}/nothing"

    @pytest.mark.parametrize(
        "path",
        ["/api/v1/nothing", "/api/v2", f"{JOBS}/..%2f", f"{JOBS}/a b", f"{JOBS}/", "/webseed/"],
    )
    def test_of_an_unknown_address_is_one_too(self, api, path):
        is_problem(api().get(path), 404)

    def test_of_a_method_lists_those_there_are(self, api):
        answer = api("admin").put(JOBS, {})
        is_problem(answer, 405)
        assert "POST" in answer["Allow"]

    def test_of_a_conflict(self, api, asked):
        asked(Story.whole())
        is_problem(api().post(f"{JOBS}/concert/retry"), 409)

    def test_of_an_unknown_media_type(self, api):
        is_problem(api().post(JOBS, "x", content_type="text/plain"), 415)

    def test_of_an_accept_that_cannot_be_met(self, api):
        is_problem(api().get(JOBS, headers={"accept": "image/png"}), 406)

    @pytest.mark.parametrize("cursor", ["x", b64encode(b"p=soon").decode()])
    def test_of_a_cursor_that_was_made_up(self, api, cursor):
        is_problem(api().get(JOBS, {"cursor": cursor}), 404)

    def test_of_a_bad_host(self, api):
        is_problem(api().get(JOBS, headers={"host": "evil.example"}), 400)

    def test_of_too_many_anonymous_requests_says_when_to_come_back(self, monkeypatch):
        monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "2/min"})
        client = APIClient()
        assert [client.get(JOBS).status_code for _ in range(2)] == [401, 401]
        answer = client.get(JOBS)
        is_problem(answer, 429)
        assert 0 < int(answer["Retry-After"]) <= 60

    def test_of_a_client_that_lies_about_its_address_is_counted_all_the_same(self, monkeypatch):
        monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "1/min"})
        answers = [
            APIClient().get(JOBS, headers={"x-forwarded-for": f"192.0.2.{n}"}) for n in range(2)
        ]
        assert answers[1].status_code == 429

    @override_settings(DEBUG=False)
    def test_of_a_bug_says_nothing_of_its_inside(self, api):
        client = api()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_job RENAME TO jobs_elsewhere")
        members = is_problem(client.get(JOBS), 500)
        assert "jobs_" not in str(members)


class TestHealth:
    @pytest.mark.parametrize("root", ["", "/api/v1"])
    def test_is_told_without_a_login_and_without_a_throttle(self, monkeypatch, root):
        monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "1/min"})
        client = APIClient()
        for _ in range(3):
            assert client.get(f"{root}/health/live").json() == {"status": "live"}
            assert client.get(f"{root}/health/ready").json() == {"status": "ready"}

    def test_is_not_ready_without_its_tables(self):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE eventlog_loggedevent RENAME TO eventlog_elsewhere")
        is_problem(APIClient().get("/health/ready"), 503)
        assert APIClient().get("/health/live").status_code == 200


class TestPage:
    def test_that_there_is_none_of_leads_back_to_the_jobs(self, client):
        answer = client.get("/nowhere")
        assert answer.status_code == 404
        assert b"There is no such page." in answer.content
        assert b'href="/"' in answer.content

    @override_settings(DEBUG=False)
    def test_of_a_bug_says_nothing_of_its_inside(self, client, admin_user):
        client.force_login(admin_user)
        client.raise_request_exception = False
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE jobs_job RENAME TO jobs_elsewhere")
        answer = client.get("/")
        assert answer.status_code == 500
        assert b"The server's log has the details." in answer.content
        assert b"jobs_" not in answer.content
