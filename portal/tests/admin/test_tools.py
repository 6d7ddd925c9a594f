"""The tools of the admin that are about no row."""

from __future__ import annotations

import pytest
from chronicle_messaging import Bus, Message, MessagingSettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from portal.replay.models import Replay

from tests.fixtures.commands import manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db

Outcome = Replay.Outcome


@pytest.fixture
def tools():
    return reverse("admin:replay_tools")


@pytest.fixture
def letters():
    return reverse("admin:replay_dead_letters")


@pytest.fixture
def staff(client, person):
    """A source of browsers by role."""

    def log_in(role="admin"):
        client.force_login(person(role, is_staff=True))
        return client

    return log_in


class TestFirstPage:
    def test_shows_lag_and_gaps(self, staff, hear):
        hear(Story.whole())
        html = staff("viewer").get(reverse("admin:index")).content.decode()
        assert "from saying to hearing" in html
        assert "1 tail" in html

    def test_tells_nothing_to_those_without_a_role(self, client, person):
        client.force_login(person(None, is_staff=True))
        html = client.get(reverse("admin:index")).content.decode()
        assert "from saying to hearing" not in html


class TestTools:
    def test_are_looked_at_by_viewers_and_used_by_admins(self, staff, tools, letters):
        for page in (tools, letters):
            browser = staff("viewer")
            assert browser.get(page).status_code == 200
            assert browser.post(page, {"verb": "verify"}).status_code == 403
        assert not Replay.objects.exists()

    def test_are_alone_marked_in_the_menu_on_their_pages(self, staff, tools, letters):
        records = reverse("admin:replay_replay_changelist")
        browser = staff()
        for page in (tools, letters, records, tools):
            menu = browser.get(page).context["sidebar_navigation"]
            marked = [str(one["link"]) for group in menu for one in group["items"] if one["active"]]
            assert marked == [page]

    def test_queue_a_verification(self, staff, tools, hear):
        hear(Story.whole())
        answer = staff().post(tools, {"verb": "verify"})
        record = Replay.objects.get()
        assert answer["Location"].endswith(f"/{record.pk}/change/")
        assert record.outcome == Outcome.QUEUED
        assert manage("replays", "work").code == 0

    def test_send_events_to_a_consumer(self, staff, tools, hear, aws_env):
        hear(Story.whole())
        browser = staff()
        order = {"verb": "replay", "to": "seeder", "types": "Uploaded"}
        page = browser.post(tools, {**order, "dry_run": "on"}).content.decode()
        assert "replay: dry run: 1 sent" in page
        assert not Replay.objects.exists()
        browser.post(tools, {**order, "force": "on"})
        assert manage("replays", "work").code == 0
        record = Replay.objects.get()
        assert (record.counts, record.parameters["force"]) == ({"sent": 1}, True)

    def test_refuse_a_replay_of_nothing_in_particular(self, staff, tools):
        page = staff().post(tools, {"verb": "replay", "to": "seeder"}).content.decode()
        assert "say which events" in page

    def test_get_what_streams_lack(self, staff, tools, hear):
        hear(Story.whole())
        staff().post(tools, {"verb": "repair", "dry_run": "on"})
        assert not Replay.objects.exists()
        staff().post(tools, {"verb": "repair"})
        assert Replay.objects.get().outcome == Outcome.QUEUED
        assert manage("replays", "work").code == 1
        record = Replay.objects.get()
        assert (record.verb, record.counts) == ("gaps", {"not repaired": 1})


class TestExports:
    def test_are_made_listed_and_imported(self, staff, tools, hear):
        hear(Story.whole())
        browser = staff()
        browser.post(tools, {"verb": "export", "file": "log.jsonl"})
        assert manage("replays", "work").code == 0
        assert "/api/v1/exports/log.jsonl" in browser.get(tools).content.decode()
        browser.post(tools, {"verb": "import", "file": "log.jsonl"})
        assert manage("replays", "work", "--json").json["items"][0]["verb"] == "import"
        page = browser.post(tools, {"verb": "export", "file": "../log"}, follow=True)
        assert "is no name of an export" in page.content.decode()

    def test_are_brought_from_another_system(self, staff, tools):
        browser = staff()
        file = SimpleUploadedFile("theirs.jsonl", b"{}\n")
        page = browser.post(tools, {"verb": "bring", "brought": file}, follow=True)
        assert "theirs.jsonl is there" in page.content.decode()
        page = browser.post(tools, {"verb": "bring"}, follow=True)
        assert "choose the file" in page.content.decode()
        page = browser.post(tools, {"verb": "remove", "file": "theirs.jsonl"}, follow=True)
        assert "theirs.jsonl is gone" in page.content.decode()
        assert "There are none." in page.content.decode()


class TestDeadLetters:
    def test_are_listed_sent_again_and_dropped(self, staff, letters, aws_env):
        seeder = Bus.connect(MessagingSettings()).queue("seeder")
        for name in ("one", "two"):
            seeder.send(name, group=name)
        messages: list[Message] = []
        while len(messages) < 2:
            messages += seeder.receive(wait=1)
        for message in messages:
            seeder.quarantine(message, f"cannot handle {message.body}")
        browser = staff()
        page = browser.get(letters, {"queue": "seeder"}).content.decode()
        assert "cannot handle one" in page
        assert "cannot handle two" in page
        first, second = [part.split('"')[0] for part in page.split('name="message" value="')[1:]]
        order = {"queue": "seeder", "message": first}
        browser.post(letters, {**order, "verb": "redrive", "rate": "5"})
        assert manage("replays", "work").code == 0
        assert Replay.objects.get().counts == {"redriven": 1}
        order = {"queue": "seeder", "message": second}
        browser.post(letters, {**order, "verb": "drop", "reason": ""})
        assert sum(seeder.dead_letters.depth().values()) == 1
        browser.post(letters, {**order, "verb": "drop", "reason": "a stranger's"})
        assert sum(seeder.dead_letters.depth().values()) == 0

    def test_say_that_the_queues_are_away(self, staff, letters, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert "cannot be used" in staff().get(letters).content.decode()


class TestResume:
    @pytest.mark.parametrize("verb", ["rebuild", "verify"])
    def test_queues_what_was_interrupted(self, api, hear, verb):
        hear(Story.whole())
        manage(verb)
        record = Replay.objects.get()
        path = f"/api/v1/replays/{record.pk}/resume"
        assert api("admin").post(path).status_code == 409
        Replay.objects.update(outcome=Outcome.INTERRUPTED)
        assert api("operator").post(path).status_code == 403
        assert api("admin").post(path).status_code == 202
        assert manage("replays", "work").code == 0
        record.refresh_from_db()
        assert record.outcome == Outcome.DONE

    def test_refuses_what_cannot_be_gone_on_with(self, api):
        record = Replay.objects.create(
            verb="dlq",
            outcome=Outcome.INTERRUPTED,
            started_at="2026-01-01T00:00Z",
            updated_at="2026-01-01T00:00Z",
        )
        assert api("admin").post(f"/api/v1/replays/{record.pk}/resume").status_code == 409
