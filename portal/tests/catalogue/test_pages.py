from __future__ import annotations

import json

import pytest
from chronicle_contracts import encode
from chronicle_contracts.catalogue import event_types
from portal.eventlog.inbox import Arrival, Inbox
from portal.jobs.readmodel import refold

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

TYPES = event_types()


@pytest.fixture
def viewer(client, person):
    client.force_login(person("viewer"))
    return client


@pytest.fixture
def stranger():
    """An event of a version that is newer than this code."""
    event = Story().requested().events[0]
    raw = json.loads(encode(event))
    body = json.dumps({**raw, "type": "chronicle.portal.JobDreamt.v1", "data": {"of": "sheep"}})
    Inbox(refold).receive([Arrival(body)])


def html_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()


class TestCataloguePage:
    def test_asks_to_log_in_first(self, client):
        assert client.get("/events/")["Location"] == "/login/?next=/events/"
        assert client.get("/events")["Location"] == "/events/"

    def test_is_not_for_those_without_a_role(self, client, person):
        client.force_login(person())
        assert client.get("/events/").status_code == 403
        assert client.get("/events/Uploaded/").status_code == 403

    def test_has_every_event_once_with_what_the_log_has_of_it(self, viewer, hear):
        hear(Story.whole("a"), Story.whole("b"))
        html = html_of(viewer, "/events/")
        for one in TYPES:
            assert html.count(f'href="/events/{one.name}/"') == 1
        row = html.partition('href="/events/Uploaded/"')[2].partition("</tr>")[0]
        assert "recorder" in row
        assert "portal, dispatcher, seeder" in row
        assert "v2" in row
        assert "v1" in row
        assert ">2</td>" in row
        assert "Not known" not in html

    def test_shows_what_is_in_the_log_but_not_in_the_code(self, viewer, stranger):
        html = html_of(viewer, "/events/")
        assert "Not known to this version" in html
        assert "chronicle.portal.JobDreamt.v1" in html

    def test_is_reached_from_the_landing_page_and_the_admin(self, client, person):
        client.force_login(person("viewer", is_staff=True))
        assert 'href="/events/"' in html_of(client, "/")
        assert 'href="/events/"' in html_of(client, "/admin/")


class TestEventPage:
    @pytest.mark.parametrize("name", sorted({one.name for one in TYPES}))
    def test_shows_every_version_with_its_fields_and_an_example(self, viewer, name):
        html = html_of(viewer, f"/events/{name}/")
        for one in TYPES:
            if one.name != name:
                continue
            assert f"<code>{one.type}</code>" in html
            for field in one.fields:
                assert f"<code>{field.path}</code>" in html
            assert f"&quot;id&quot;: &quot;{one.example['id']}&quot;" in html

    def test_shows_the_newest_version_first_and_says_what_is_superseded(self, viewer):
        html = html_of(viewer, "/events/Uploaded/")
        assert html.index("Uploaded.v2") < html.index("Uploaded.v1")
        assert html.count("superseded: still read, written no more") == 1
        assert "completeness.score" in html
        assert "number, at least 0, at most 1" in html

    def test_is_not_there_for_an_event_that_nobody_says(self, viewer):
        assert viewer.get("/events/Sneezed/").status_code == 404


class TestApi:
    def test_lists_every_version_of_every_event(self, api, hear):
        hear(Story.whole())
        rows = api("viewer").get("/api/v1/event-types").json()["results"]
        assert [row["type"] for row in rows] == [one.type for one in TYPES]
        by_type = {row["type"]: row for row in rows}
        uploaded = by_type["chronicle.recorder.Uploaded.v2"]
        assert uploaded["count"] == 1
        assert uploaded["last_seen"]
        assert uploaded["consumers"] == ["portal", "dispatcher", "seeder"]
        old = by_type["chronicle.recorder.Uploaded.v1"]
        assert (old["superseded"], old["count"], old["last_seen"]) == (True, 0, None)

    @pytest.mark.parametrize("one", TYPES, ids=lambda one: one.type)
    def test_says_all_about_one(self, api, one):
        found = api("viewer").get(f"/api/v1/event-types/{one.type}").json()
        assert found["schema"] == one.schema
        assert found["example"] == one.example
        assert [field["path"] for field in found["data_fields"]] == [f.path for f in one.fields]

    def test_knows_no_other(self, api):
        answer = api("viewer").get("/api/v1/event-types/chronicle.recorder.Sneezed.v1")
        assert answer.status_code == 404
        assert "event-types" in answer.json()["detail"]

    def test_gives_the_asyncapi_document_of_this_stack(self, api, monkeypatch):
        monkeypatch.setenv("CHRONICLE_PREFIX", "second")
        made = api("viewer").get("/api/v1/asyncapi").json()
        assert made["asyncapi"] == "3.0.0"
        assert made["channels"]["seeder"]["address"] == "second-seeder.fifo"

    @pytest.mark.parametrize("path", ["event-types", "asyncapi"])
    def test_is_for_viewers(self, api, path):
        assert api(None).get(f"/api/v1/{path}").status_code == 401
