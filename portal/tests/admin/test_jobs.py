from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from portal.eventlog.models import LoggedEvent
from portal.jobs.models import Job

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

JOBS = "/admin/jobs/job/"
URL = "https://example.org/live"


@pytest.fixture
def staff(client, person):
    """A source of browsers by role."""

    def log_in(role="operator"):
        client.force_login(person(role, is_staff=True))
        return client

    return log_in


def act(browser, action, *jobs):
    answer = browser.post(JOBS, {"action": action, "_selected_action": jobs})
    return answer, [str(message) for message in get_messages(answer.wsgi_request)]


class TestAdding:
    def test_submits_the_request_of_the_user(self, staff):
        answer = staff().post(
            JOBS + "add/",
            {
                "url": URL,
                "filename": "show",
                "quality": "",
                "live_from_start": "on",
                "max_duration": "90",
                "start_at_0": "",
                "start_at_1": "",
                "id": "mine",
            },
        )
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        job = Job.objects.get()
        assert (job.id, job.url, job.filename) == ("mine", URL, "show.mkv")
        assert (job.live_from_start, job.max_duration) == (True, 90.0)
        assert (job.requested_by or "").startswith("operator-")
        assert LoggedEvent.objects.get().type == "chronicle.portal.JobRequested.v1"

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("url", "", "required"),
            ("url", "ftp://example.org", "only http and https"),
            ("url", "http://10.0.0.1/", "not public"),
            ("filename", "../x", "no folders"),
            ("max_duration", "0", "above 0"),
            ("id", "a b", "letter or digit"),
            ("id", "taken", "requested before with another url"),
        ],
    )
    def test_shows_what_is_wrong_at_its_field(self, staff, asked, field, value, words):
        asked(Story("taken").requested())
        answer = staff().post(JOBS + "add/", {"url": URL, field: value})
        assert answer.status_code == 200
        errors = answer.context["adminform"].form.errors
        assert list(errors) == [field]
        assert words in errors[field][0]
        assert words in answer.content.decode()
        assert Job.objects.count() == 1

    def test_shows_a_start_in_the_past_at_its_field(self, staff):
        start = {"start_at_0": "2020-01-01", "start_at_1": "12:00:00"}
        answer = staff().post(JOBS + "add/", {"url": URL} | start)
        assert "in the past" in answer.context["adminform"].form.errors["start_at"][0]

    def test_is_not_for_viewers(self, staff):
        assert staff("viewer").post(JOBS + "add/", {"url": URL}).status_code == 403
        assert not Job.objects.exists()


class TestActions:
    @pytest.fixture
    def jobs(self, asked):
        asked(
            Story("running").requested().accepted().launched().recording(),
            Story("failed").requested().accepted().launched().recording().ended().failed(),
        )

    @pytest.mark.parametrize(
        ("action", "mode"), [("stop_and_keep", "keep"), ("stop_and_discard", "discard")]
    )
    def test_stop_in_the_chosen_way(self, staff, jobs, action, mode):
        answer, said = act(staff(), action, "running")
        assert answer.status_code == 302
        job = Job.objects.get(id="running")
        assert (job.status, job.stop_mode) == ("STOPPING", mode)
        assert said == ["Asked for 1 job(s)."]

    def test_retry_what_failed(self, staff, jobs):
        act(staff(), "retry", "failed")
        assert Job.objects.get(id="failed").status != "FAILED"

    def test_say_which_job_they_make_no_sense_for_and_do_the_others(self, staff, jobs):
        _, said = act(staff(), "stop_and_keep", "running", "failed")
        assert Job.objects.get(id="running").status == "STOPPING"
        assert any("'failed' is FAILED" in message for message in said)
        assert "Asked for 1 job(s)." in said

    def test_are_not_for_viewers(self, staff, jobs):
        act(staff("viewer"), "stop_and_keep", "running")
        assert Job.objects.get(id="running").status == "RECORDING"


class TestDetail:
    def test_shows_timeline_progress_and_downloads(self, staff, hear):
        hear(Story.whole())
        html = staff("viewer").get(f"{JOBS}concert/change/").content.decode()
        for words in ("Recorder lost, attempt 1", "Gap of 4.0 s", "safely stored", "0:00:12"):
            assert words in html
        assert "/api/v1/jobs/concert/recording" in html
        assert "magnet:?xt=urn:btih:" in html

    def test_shows_why_it_failed_with_the_end_of_the_log(self, staff, hear):
        hear(Story().requested().accepted().launched().recording().ended().failed())
        html = staff("viewer").get(f"{JOBS}concert/change/").content.decode()
        assert "disk_full" in html
        assert "Full." in html
