from __future__ import annotations

from datetime import timedelta

import pytest
from portal.eventlog.models import LoggedEvent

from tests.fixtures.story import NOON, Story

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"


def running(job_id="concert"):
    return Story(job_id).requested().accepted().launched().recording()


@pytest.fixture
def viewer(api):
    return api("viewer")


@pytest.fixture
def operator(api):
    return api("operator")


def ids(page):
    return [job["id"] for job in page.json()["results"]]


class TestList:
    def test_goes_on_page_by_page_without_repeating_a_job(self, viewer, hear):
        for n in range(7):
            hear(Story(f"j{n}", at=NOON + timedelta(minutes=n // 3)).requested())
        seen, address = [], f"{JOBS}?page_size=2"
        while address:
            page = viewer.get(address)
            assert set(page.json()) == {"next", "previous", "results"}
            seen += ids(page)
            address = page.json()["next"]
        assert sorted(seen) == [f"j{n}" for n in range(7)]
        assert seen[0] == "j6"

    def test_filters_by_several_statuses(self, viewer, hear):
        hear(running("r"), Story("p").requested(), Story.whole("w"))
        assert set(ids(viewer.get(f"{JOBS}?status=RECORDING&status=PENDING"))) == {"r", "p"}
        assert set(ids(viewer.get(f"{JOBS}?status=recording,completed"))) == {"r", "w"}

    def test_names_the_statuses_where_one_is_unknown(self, viewer):
        answer = viewer.get(f"{JOBS}?status=DONE")
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["field"], error["value"]) == ("status", "DONE")
        assert "COMPLETED" in error["detail"]

    def test_searches_in_title_and_id(self, viewer, hear):
        hear(Story("alpha").requested().accepted(), Story("beta").requested())
        assert ids(viewer.get(f"{JOBS}?search=concert&ordering=requested_at"))
        assert ids(viewer.get(f"{JOBS}?search=ALPH")) == ["alpha"]
        assert ids(viewer.get(f"{JOBS}?search=nothing")) == []

    def test_orders_as_asked(self, viewer, hear):
        hear(Story("old").requested(), Story("new", at=NOON + timedelta(hours=1)).requested())
        assert ids(viewer.get(JOBS)) == ["new", "old"]
        assert ids(viewer.get(f"{JOBS}?ordering=requested_at")) == ["old", "new"]

    def test_filters_by_time(self, viewer, hear):
        hear(Story("old").requested(), Story("new", at=NOON + timedelta(hours=1)).requested())
        assert ids(viewer.get(f"{JOBS}?requested_after=2026-05-17T12:30:00Z")) == ["new"]
        assert ids(viewer.get(f"{JOBS}?requested_before=2026-05-17T12:30:00Z")) == ["old"]

    def test_leaves_the_timeline_out_and_asks_few_questions(
        self, viewer, hear, django_assert_max_num_queries
    ):
        hear(*[Story.whole(f"j{n}") for n in range(5)])
        with django_assert_max_num_queries(5):
            jobs = viewer.get(JOBS).json()["results"]
        assert len(jobs) == 5
        assert "timeline" not in jobs[0]


class TestDetail:
    def test_has_all_that_is_known(self, viewer, hear):
        hear(Story.whole())
        job = viewer.get(f"{JOBS}/concert").json()
        assert job["status"] == "COMPLETED"
        assert job["recording"]["checksum"] == {"algorithm": "sha256", "value": "ab" * 32}
        assert job["torrent"]["state"] == "seeding"
        assert job["progress"]["phase"] == "RECORDING"
        assert job["error"] is None
        assert job["timeline"][0]["what"] == "Recording requested"
        assert not any("Heartbeat" in line["type"] for line in job["timeline"])

    def test_of_an_unknown_job_is_a_404(self, viewer):
        assert viewer.get(f"{JOBS}/nothing").status_code == 404


class TestMissing:
    @pytest.mark.parametrize("path", ["/jobs/abc", "/jobs/abc/stop"])
    def test_is_named(self, api, path):
        call = api().post if path.endswith("stop") else api().get
        answer = call(f"/api/v1{path}")
        assert (answer.status_code, "'abc'" in answer.json()["detail"]) == (404, True)

    def test_is_named_whatever_it_is(self, api):
        answer = api("viewer").get("/api/v1/quarantine/7")
        assert answer.json()["detail"] == "There is no quarantined message '7'."


class TestStop:
    def test_is_shown_in_the_answer_and_after_it(self, operator, asked):
        asked(running())
        answer = operator.post(f"{JOBS}/concert/stop", {"mode": "discard"})
        assert answer.status_code == 202
        assert (answer.json()["status"], answer.json()["stop_mode"]) == ("STOPPING", "discard")
        assert operator.get(f"{JOBS}/concert").json()["status"] == "STOPPING"

    def test_keeps_where_nothing_else_is_said(self, operator, asked):
        asked(running())
        assert operator.post(f"{JOBS}/concert/stop").json()["stop_mode"] == "keep"

    def test_of_what_has_ended_is_a_conflict(self, operator, asked):
        asked(Story.whole())
        answer = operator.post(f"{JOBS}/concert/stop")
        assert answer.status_code == 409
        assert "COMPLETED" in answer.json()["detail"]

    def test_in_an_unknown_way_is_refused(self, operator, asked):
        asked(running())
        answer = operator.post(f"{JOBS}/concert/stop", {"mode": "burn"})
        assert answer.json()["errors"][0]["detail"] == "give keep or discard"

    @pytest.mark.parametrize("command", ["stop", "extend", "retry"])
    def test_of_an_unknown_job_is_a_404(self, operator, command):
        answer = operator.post(
            f"{JOBS}/nothing/{command}", {"max_duration": 5} if command == "extend" else None
        )
        assert answer.status_code == 404


class TestExtend:
    @pytest.mark.parametrize("seconds", [7200, None])
    def test_sets_the_limit_anew(self, operator, asked, seconds):
        asked(Story().requested(max_duration=60))
        answer = operator.post(f"{JOBS}/concert/extend", {"max_duration": seconds})
        assert answer.status_code == 202
        assert answer.json()["max_duration"] == seconds

    @pytest.mark.parametrize("body", [{}, {"max_duration": -1}, {"seconds": 5}])
    def test_refuses_what_is_no_limit(self, operator, asked, body):
        asked(running())
        assert operator.post(f"{JOBS}/concert/extend", body).status_code == 400


class TestRetry:
    def test_tries_again_what_failed(self, operator, asked):
        asked(running().ended().failed())
        answer = operator.post(f"{JOBS}/concert/retry")
        assert answer.status_code == 202
        assert answer.json()["status"] != "FAILED"

    def test_of_what_records_is_a_conflict(self, operator, asked):
        asked(running())
        assert operator.post(f"{JOBS}/concert/retry").status_code == 409


class TestEvents:
    def test_of_a_job_come_as_they_were_heard(self, viewer, hear):
        story = Story.whole()
        hear(Story("other").requested(), story)
        page = viewer.get(f"{JOBS}/concert/events").json()
        assert [one["event"]["id"] for one in page["results"]] == [str(e.id) for e in story.events]
        assert page["next"] is None

    def test_go_on_after_a_position(self, viewer, hear):
        hear(Story.whole())
        seen, address = [], f"{JOBS}/concert/events?limit=5"
        while address:
            page = viewer.get(address).json()
            seen += [one["position"] for one in page["results"]]
            address = page["next"]
        assert seen == list(LoggedEvent.objects.values_list("position", flat=True))

    def test_of_all_jobs_are_filtered_by_type_job_and_stream(self, viewer, hear):
        hear(Story.whole("a"), Story.whole("b"))

        def count(query):
            return len(viewer.get(f"/api/v1/events?limit=500&{query}").json()["results"])

        assert count("type=Uploaded") == count("type=chronicle.recorder.Uploaded.v2") == 2
        assert count("type=Upload") == 0
        assert count("job=a&type=Uploaded") == 1
        assert count("stream=portal/b") == 1

    @pytest.mark.parametrize(
        "query", ["after=x", "after=-1", "limit=0", "limit=501", f"after={2**70}"]
    )
    def test_refuse_a_bad_position(self, viewer, query):
        answer = viewer.get(f"/api/v1/events?{query}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == query.partition("=")[0]

    def test_of_an_unknown_job_are_a_404(self, viewer):
        assert viewer.get(f"{JOBS}/nothing/events").status_code == 404


class TestAsOf:
    def test_shows_the_job_as_it_was(self, viewer, hear):
        hear(Story.whole())
        first, *_, last = LoggedEvent.objects.values_list("position", flat=True)

        def status(query):
            return viewer.get(f"{JOBS}/concert/as-of?{query}").json()["status"]

        assert status(f"position={first}") == "PENDING"
        assert status(f"position={last}") == "COMPLETED"
        assert status("time=2026-05-17T12:00:03Z") == "STARTED"

    @pytest.mark.parametrize(
        "query", ["", "position=1&time=2026-05-17T12:00:00Z", "position=x", "time=noon", "at=5"]
    )
    def test_needs_one_moment(self, viewer, hear, query):
        hear(Story.whole())
        assert viewer.get(f"{JOBS}/concert/as-of?{query}").status_code == 400

    def test_before_its_beginning_is_a_404(self, viewer, hear):
        hear(Story.whole())
        answer = viewer.get(f"{JOBS}/concert/as-of?time=2020-01-01T00:00:00Z")
        assert answer.status_code == 404
