from __future__ import annotations

import re

import pytest
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from portal.accounts.models import ApiToken
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, ParkedJob, RelayPosition, SkippedEvent
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.replay.models import Build, Replay

from tests.fixtures.story import NOON, Story

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
_LABELS = {"jobs", "projections", "eventlog", "replay"}
NAMES = [model._meta.label for model in MODELS]
OURS = [model for model in MODELS if model._meta.app_label in _LABELS]
SCRIPT = "<script>alert(1)</script>"


def address(model, page, *arguments):
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=arguments)


@pytest.fixture
def staff(client, person):
    """A source of browsers by role."""

    def log_in(role="admin"):
        client.force_login(person(role, is_staff=True))
        return client

    return log_in


@pytest.fixture
def everything(hear, person, token_of):
    """At least one row of every model that the admin shows."""
    running = Story("running").requested().accepted().launched().recording()
    failed = Story("failed").requested().accepted().launched().recording().ended().failed()
    hear(Story.whole(), running, failed)
    Inbox(refold).receive([Arrival("{broken", {"source": "test"})])
    ParkedJob.objects.create(job_id="concert", error="TypeError: what is this", parked_at=NOON)
    RelayPosition.objects.create(name="topic#1", notification_id=3)
    SkippedEvent.objects.create(
        position=1, job_id="concert", type="t", occurred_at=NOON, reason="r", skipped_at=NOON
    )
    Build.objects.get_or_create(state="active", defaults={"started_at": NOON})
    Replay.objects.create(verb="rebuild", started_at=NOON, updated_at=NOON)
    token_of(person("viewer"))
    Group.objects.get_or_create(name="viewer")


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
class TestPages:
    def test_list_opens(self, staff, everything, model):
        page = staff().get(address(model, "changelist"), {"q": "concert"})
        assert page.status_code == 200
        page = staff().get(address(model, "changelist"))
        assert page.status_code == 200
        assert model.objects.exists()

    def test_every_filter_can_be_used(self, staff, everything, model):
        browser = staff()
        page = browser.get(address(model, "changelist"))
        for spec in page.context["cl"].filter_specs:
            for choice in list(spec.choices(page.context["cl"]))[:3]:
                if query := choice.get("query_string"):
                    answer = browser.get(address(model, "changelist") + query)
                    assert answer.status_code == 200, query

    def test_every_row_opens(self, staff, everything, model):
        browser = staff()
        for row in model.objects.all()[:30]:
            assert browser.get(address(model, "change", row.pk)).status_code == 200

    def test_form_to_add_opens_where_adding_is_allowed(self, staff, everything, model):
        allowed = model in {Job, ApiToken, User, Group}
        answer = staff().get(address(model, "add"))
        assert answer.status_code == (200 if allowed else 403)

    def test_viewers_see_jobs_and_log_and_nobodies_nothing(self, staff, everything, model):
        answer = staff("viewer").get(address(model, "changelist"))
        assert answer.status_code == (200 if model in OURS else 403)
        assert staff(None).get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", OURS, ids=[model._meta.label for model in OURS])
class TestReadOnly:
    def test_nobody_edits_or_deletes(self, staff, everything, model):
        browser = staff()
        row = model.objects.first()
        before = model.objects.values().get(pk=row.pk)
        assert (
            browser.post(address(model, "change", row.pk), {"status": "FAILED"}).status_code == 403
        )
        assert browser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert model.objects.values().get(pk=row.pk) == before
        page = browser.get(address(model, "changelist")).content.decode()
        assert "delete_selected" not in page


class TestIndex:
    def test_is_called_chronicle_and_lists_what_the_role_may_see(self, staff):
        page = staff("viewer").get("/admin/").content.decode()
        assert "Chronicle" in page
        assert "Quarantine" in page
        assert "API tokens" not in page
        assert "API tokens" in staff("admin").get("/admin/").content.decode()

    def test_asks_those_who_are_no_staff_to_log_in(self, client, person):
        client.force_login(person("admin"))
        assert client.get("/admin/").status_code == 302


class TestWhatCameFromOutside:
    @pytest.fixture
    def evil(self, hear):
        story = Story("evil")
        url = f"javascript:alert(1)//{SCRIPT}"
        story.tell(p.JobRequested(url=url, key=story.key, filename="x.mkv"))
        story.tell(d.JobAccepted(title=SCRIPT, site=SCRIPT))
        story.tell(d.JobAbandoned(code=SCRIPT, detail=SCRIPT, attempts=1))
        hear(story)
        Inbox(refold).receive([Arrival(SCRIPT)])

    def test_is_shown_as_text_on_every_page(self, staff, evil):
        browser = staff()
        pages = [address(model, "changelist") for model in OURS] + ["/"]
        for model in OURS:
            pages += [address(model, "change", row.pk) for row in model._default_manager.all()]
        for page in pages:
            html = browser.get(page).content.decode()
            assert SCRIPT not in html, page
            assert not re.search(r'href="\s*javascript:', html), page

    def test_is_a_link_where_it_is_a_web_address(self, staff, hear):
        hear(Story("plain").requested())
        html = staff().get(address(Job, "change", "plain")).content.decode()
        assert 'href="https://example.org/live.m3u8"' in html


class TestLoggedEvent:
    def test_shows_the_envelope_indented(self, staff, hear):
        hear(Story().requested())
        html = staff().get(address(LoggedEvent, "change", LoggedEvent.objects.get().pk))
        assert "  &quot;specversion&quot;: &quot;1.0&quot;" in html.content.decode()
