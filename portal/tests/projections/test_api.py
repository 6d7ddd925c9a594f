from __future__ import annotations

from datetime import timedelta

import pytest
from chronicle_contracts import recorder as r

from tests.fixtures.story import NOON, Story

pytestmark = pytest.mark.django_db

V1 = "/api/v1"


@pytest.fixture
def viewer(api):
    return api("viewer")


def lossy(job_id):
    story = Story.whole(job_id)
    for number, event in enumerate(story.events):
        if isinstance(event.data, r.Uploaded):
            gap = r.Gap(cause="stall", seconds=4, at_media_seconds=9)
            fact = event.data.model_copy(update={"gaps": (gap,)})
            story.events[number] = event.model_copy(update={"data": fact})
    return story


class TestRecordings:
    def test_come_page_by_page(self, viewer, hear):
        for n in range(5):
            hear(Story.whole(f"j{n}"))
        seen, address = [], f"{V1}/recordings?page_size=2"
        while address:
            page = viewer.get(address).json()
            seen += [one["job"] for one in page["results"]]
            address = page["next"]
        assert sorted(seen) == [f"j{n}" for n in range(5)]

    def test_are_found_by_what_they_lack(self, viewer, hear):
        hear(Story.whole("good"), lossy("lossy"))
        (found,) = viewer.get(f"{V1}/recordings", {"losses": "true"}).json()["results"]
        assert (found["job"], found["losses"], len(found["gaps"])) == ("lossy", True, 1)
        assert found["completeness"]["score"] <= 1
        assert viewer.get(f"{V1}/jobs/lossy").json()["losses"] is True
        assert viewer.get(f"{V1}/jobs/good").json()["losses"] is False

    def test_need_a_login(self, api):
        for name in ("recordings", "torrents", "totals", "services"):
            assert api(None).get(f"{V1}/{name}").status_code == 401


class TestTorrents:
    def test_are_found_by_their_state(self, viewer, hear):
        hear(Story.whole("seeding"))
        (found,) = viewer.get(f"{V1}/torrents", {"state": "seeding"}).json()["results"]
        assert found["job"] == "seeding"
        assert viewer.get(f"{V1}/torrents", {"state": "failed"}).json()["results"] == []
        assert viewer.get(f"{V1}/torrents", {"state": "nonsense"}).status_code == 400


class TestTotals:
    def test_come_by_day(self, viewer, hear):
        for n in range(3):
            hear(
                Story(f"j{n}", at=NOON + timedelta(days=n))
                .requested()
                .accepted()
                .launched()
                .recording()
                .ended()
                .uploaded()
            )
        page = viewer.get(f"{V1}/totals", {"limit": 2}).json()
        assert [one["day"] for one in page["results"]] == ["2026-05-19", "2026-05-18"]
        assert page["results"][0]["hours"] == round(30 / 3600, 3)
        last = viewer.get(page["next"]).json()
        assert ([one["day"] for one in last["results"]], last["next"]) == (["2026-05-17"], None)
        assert viewer.get(f"{V1}/totals", {"since": "yesterday"}).status_code == 400


class TestServices:
    def test_tell_who_is_silent(self, viewer, hear):
        hear(Story().requested().accepted().launched().recording())
        found = {one["publisher"]: one for one in viewer.get(f"{V1}/services").json()["results"]}
        assert found["recorder"]["silent"] is True  # its last heartbeat is of long ago
        assert found["recorder"]["runs"][0]["job"] == "concert"
        assert (found["seeder"]["silent"], found["seeder"]["heard_at"]) == (False, None)


class TestLists:
    def test_badge_says_that_something_is_lost(self, client, person, hear):
        hear(lossy("lossy"))
        client.force_login(person("viewer", is_staff=True))
        assert "COMPLETED with losses" in client.get("/admin/jobs/job/").content.decode()

    def test_totals_and_services_are_summed_up_in_the_admin(self, client, person, hear):
        hear(Story.whole())
        client.force_login(person("viewer", is_staff=True))
        totals = client.get("/admin/projections/dayshare/").content.decode()
        assert "day (UTC)" in totals
        assert "0:00:30" in totals
        services = client.get("/admin/projections/servicevoice/").content.decode()
        assert "last heard" in services
        assert "speaks" in services
