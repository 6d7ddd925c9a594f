from __future__ import annotations

import pytest

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


class TestLanding:
    def test_asks_to_log_in_first(self, client):
        answer = client.get("/")
        assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")
        assert "Log in" in client.get(answer["Location"]).content.decode()

    def test_lists_the_newest_jobs_with_what_can_be_downloaded(self, client, person, hear):
        hear(Story.whole(), Story("running").requested().accepted().launched().recording())
        client.force_login(person("viewer"))
        html = client.get("/").content.decode()
        assert "RECORDING" in html
        assert "0:00:30, 29.3 KiB" in html
        assert '<a class="underline" href="/api/v1/jobs/concert/recording">' in html
        assert "1 of them under way" in html

    def test_says_that_a_recording_lacks_something(self, client, person, hear):
        torn = Story("torn").requested().launched().recording().uploaded(score=0.9)
        hear(Story.whole(), torn)
        client.force_login(person("viewer"))
        html = client.get("/").content.decode()
        assert "COMPLETED</span>" in html
        assert html.count("CREATING_TORRENT with losses") == 1

    def test_offers_the_admin_to_staff_alone(self, client, person):
        client.force_login(person("viewer"))
        assert "/admin/" not in client.get("/").content.decode()
        client.force_login(person("operator", is_staff=True))
        assert "/admin/jobs/job/add/" in client.get("/").content.decode()

    def test_tells_those_without_a_role_what_they_lack(self, client, person, hear):
        hear(Story.whole())
        client.force_login(person())
        html = client.get("/").content.decode()
        assert "no role" in html
        assert "concert" not in html

    def test_lets_people_out_again(self, client, person):
        client.force_login(person("viewer"))
        assert client.post("/logout/").status_code == 302
        assert client.get("/").status_code == 302

    def test_does_not_send_anybody_elsewhere_after_the_login(self, client, person):
        user = person("viewer", password="right-enough-1")
        login = {
            "username": user.username,
            "password": "right-enough-1",
            "next": "https://evil.example/",
        }
        assert client.post("/login/", login)["Location"] == "/"
