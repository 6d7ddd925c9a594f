from __future__ import annotations

import pytest
from portal.eventlog.models import LoggedEvent
from portal.jobs.changes import changes_of
from portal.jobs.models import Job
from portal.jobs.readmodel import state_of
from portal.replay.past import as_of

from tests.fixtures.commands import manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


def fields(change):
    return {one.field: (one.before, one.after) for one in change.changes}


class TestChanges:
    def test_say_what_each_event_changed(self, hear):
        hear(Story.whole())
        history = changes_of("concert")
        by_name = {one.type.split(".")[2]: one for one in history}
        accepted = fields(by_name["JobAccepted"])
        assert accepted == {"title": (None, "Concert"), "site": (None, "generic")}
        launched = fields(by_name["RecorderLaunched"])
        assert launched["attempt"] == (1, 2)
        uploaded = fields(by_name["Uploaded"])
        assert uploaded["status"] == ("UPLOADING", "CREATING_TORRENT")
        assert uploaded["recording.size"] == (None, 30_000)
        assert fields(by_name["SeedingStarted"])["torrent.state"] == ("created", "seeding")

    def test_show_heartbeats_that_follow_one_another_as_one(self, hear):
        hear(Story.whole(heartbeats=40))
        beats = [one for one in changes_of("concert") if one.type.endswith("Heartbeat.v1")]
        assert [one.events for one in beats] == [40, 40]
        assert all(one.position - one.first_position == 39 for one in beats)
        assert "progress.media_seconds" in fields(beats[0])

    def test_end_at_what_is_shown(self, hear):
        hear(Story.whole(heartbeats=7))
        state = {}
        for change in changes_of("concert"):
            for one in change.changes:
                state[one.field] = one.after
        job = state_of(Job.objects.get())
        assert (state["status"], state["attempt"]) == (job.status, job.attempt)
        assert job.progress is not None
        assert state["progress.bytes_recorded"] == job.progress.bytes_recorded

    def test_show_where_an_event_was_passed_over(self, poison):
        row = poison(Story.whole("bad"), 2)
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        (line,) = [one for one in changes_of("bad") if one.position == row.position]
        assert (line.detail, line.changes) == ("nonsense", ())

    def test_of_a_job_that_nobody_knows_are_none(self):
        assert changes_of("nobody") == []


class TestAsOf:
    def test_at_any_position_is_what_was_shown_then(self, hear):
        story = Story.whole(heartbeats=5)
        story.events[4], story.events[9] = story.events[9], story.events[4]  # out of order
        shown = {}
        for event in story.events:
            half = Story("concert")
            half.events = [event]
            hear(half)
            shown[LoggedEvent.objects.latest("position").position] = state_of(Job.objects.get())
        for position, state in shown.items():
            assert as_of("concert", position=position) == state

    def test_at_a_time_is_what_had_happened_then_whenever_it_was_heard(self, hear):
        story = Story.whole(heartbeats=5)
        by_time = sorted(story.events, key=lambda event: event.time)
        late = Story("concert")
        late.events = list(reversed(story.events))
        hear(late)
        for number, event in enumerate(by_time, 1):
            half = Story("concert")
            half.events = by_time[:number]
            expected = max(half.events, key=lambda one: one.time)
            state = as_of("concert", time=event.time)
            assert state.updated_at == expected.time


class TestApi:
    def test_answers_the_changes_page_by_page(self, api, hear):
        hear(Story.whole())
        viewer = api("viewer")
        seen, address = [], "/api/v1/jobs/concert/changes?limit=4"
        while address:
            page = viewer.get(address).json()
            seen += page["results"]
            address = page["next"]
        assert [one["type"] for one in seen] == [one.type for one in changes_of("concert")]
        assert {"field": "title", "before": None, "after": "Concert"} in seen[1]["changes"]
        assert viewer.get("/api/v1/jobs/nobody/changes").status_code == 404

    def test_answers_a_conflict_where_the_history_cannot_be_folded(self, api, poison):
        poison(Story.whole("bad"))
        assert api("viewer").get("/api/v1/jobs/bad/changes").status_code == 409


class TestAdmin:
    def test_shows_what_each_event_changed(self, client, person, hear):
        hear(Story.whole())
        client.force_login(person("viewer", is_staff=True))
        page = client.get("/admin/jobs/job/concert/change/").content.decode()
        assert "recording.size" in page
        assert "Heartbeat, 3 times" in page

    def test_leads_to_the_job_as_it_was_known(self, client, person, hear):
        stored = hear(Story.whole()).stored
        client.force_login(person("viewer", is_staff=True))
        address = "/admin/jobs/job/concert/change/"
        assert f'href="?position={stored[1].position}"' in client.get(address).content.decode()
        then = client.get(address, {"position": stored[1].position}).content.decode()
        assert "as it was known at position" in then
        assert ("PENDING" in then, "COMPLETED" in then) == (True, False)
        assert "URL checked" in then

    def test_shows_a_job_as_it_was_at_a_time(self, client, person, hear):
        stored = hear(Story.whole()).stored
        client.force_login(person("viewer", is_staff=True))
        address = "/admin/jobs/job/concert/change/"
        time = stored[-1].occurred_at.isoformat()
        assert "COMPLETED" in client.get(address, {"time": time}).content.decode()

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"time": "noon"}, "write it as"),
            ({"position": "-1"}, "positions are numbers"),
            ({"position": "0"}, "nothing was known"),
            ({"position": "1", "time": "2026-01-31T12:00:00Z"}, "either a position or a time"),
        ],
    )
    def test_says_what_is_wrong_with_a_moment(self, client, person, hear, asked, words):
        hear(Story.whole())
        client.force_login(person("viewer", is_staff=True))
        page = client.get("/admin/jobs/job/concert/change/", asked)
        assert page.status_code == 200
        assert words in page.content.decode()
