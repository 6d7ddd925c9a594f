"""What the log refused is put through the inbox again, or dropped with a reason."""

from __future__ import annotations

import pytest
from chronicle_contracts import encode
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, QuarantinedMessage
from portal.jobs.models import Job
from portal.jobs.readmodel import refold

from tests.fixtures.commands import everything, manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(monkeypatch):
    """An event that an older code could not read, and a text that nobody ever can."""
    body = encode(Story().requested().events[0]).decode()
    with monkeypatch.context() as older:
        older.setattr("portal.eventlog.inbox._misfit", lambda _: "an older code's opinion")
        Inbox(refold).receive([Arrival(body)])
    Inbox(refold).receive([Arrival("{broken")])
    return {row.reason: row.pk for row in QuarantinedMessage.objects.all()}


class TestList:
    def test_is_empty_where_all_is_well(self):
        assert manage("quarantine", "list").code == 0

    def test_shows_what_nobody_has_decided_of(self, refused):
        done = manage("quarantine", "list", "--json")
        assert done.code == 1
        assert done.json["counts"] == {"unfit": 1, "malformed": 1}
        assert manage("quarantine", "list", "--kind", "unfit", "--json").json["left"] == 1


class TestRelease:
    def test_lets_in_what_the_log_takes_by_now_and_leaves_the_rest(self, refused):
        done = manage("quarantine", "release")
        assert done.code == 1
        assert "1 released, 1 refused" in done.out
        assert Job.objects.get().id == "concert"
        row = QuarantinedMessage.objects.get(pk=refused["unfit"])
        assert row.released_at is not None
        assert row.handled_by
        assert QuarantinedMessage.objects.get(pk=refused["malformed"]).is_open

    def test_counts_what_the_log_has_already_as_released(self, refused, hear):
        hear(Story().requested())
        assert manage("quarantine", "release", refused["unfit"]).code == 0
        assert LoggedEvent.objects.count() == 1

    def test_happens_once(self, refused):
        assert manage("quarantine", "release", refused["unfit"]).code == 0
        done = manage("quarantine", "release", refused["unfit"])
        assert done.code == 1
        assert "released already" in done.error
        assert manage("quarantine", "release", 999).code == 1

    def test_tries_in_a_dry_run_without_keeping_anything(self, refused):
        before = everything()
        done = manage("quarantine", "release", "--dry-run")
        assert "1 released, 1 refused" in done.out
        assert everything() == before

    def test_of_a_message_that_is_refused_again_later_opens_it_again(self, refused, monkeypatch):
        assert manage("quarantine", "release", refused["unfit"]).code == 0
        row = QuarantinedMessage.objects.get(pk=refused["unfit"])
        monkeypatch.setattr("portal.eventlog.inbox._misfit", lambda _: "older again")
        Inbox(refold).receive([Arrival(row.body)])
        row.refresh_from_db()
        assert row.is_open


class TestDrop:
    def test_keeps_the_message_with_the_reason(self, refused):
        done = manage("quarantine", "drop", refused["malformed"], "--reason", "a stranger's")
        assert done.code == 0
        row = QuarantinedMessage.objects.get(pk=refused["malformed"])
        assert (row.dropped_because, row.body, row.is_open) == ("a stranger's", "{broken", False)
        Inbox(refold).receive([Arrival("{broken")])
        row.refresh_from_db()
        assert (row.times, row.is_open) == (2, False)

    def test_needs_a_message_and_a_reason(self, refused):
        assert manage("quarantine", "drop", "--reason", "x").code == 2
        assert manage("quarantine", "drop", refused["unfit"]).code == 2

    def test_changes_nothing_in_a_dry_run(self, refused):
        before = everything()
        ids = refused.values()
        assert manage("quarantine", "drop", *ids, "--reason", "x", "--dry-run").code == 0
        assert everything() == before
