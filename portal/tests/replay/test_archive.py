"""An export holds everything, and an empty system that imports it shows the same."""

from __future__ import annotations

import json

import pytest
from chronicle_messaging.position import Positions
from chronicle_messaging.provisioning import Topic
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import (
    LoggedEvent,
    ParkedJob,
    QuarantinedMessage,
    RelayPosition,
    SkippedEvent,
    StoredEvent,
    StreamCursor,
)
from portal.eventlog.store import outbox
from portal.jobs.commands import extend_job, request_job, stop_job
from portal.jobs.models import Job
from portal.jobs.readmodel import refold
from portal.jobs.requests import JobRequest
from portal.replay.exporting import export
from portal.replay.importing import import_log
from portal.replay.records import Call

from tests.fixtures.commands import everything, manage
from tests.fixtures.story import URL, Story

pytestmark = pytest.mark.django_db

OURS = (
    *(LoggedEvent, StreamCursor, QuarantinedMessage, ParkedJob, SkippedEvent),
    *(StoredEvent, RelayPosition, Job),
)


def empty():
    for model in OURS:
        model.objects.all().delete()


def kept():
    """Everything but who published what, and records."""
    rows = everything()
    stored = [
        {name: row[name] for name in row if name != "id"} for row in rows["eventlog.StoredEvent"]
    ]
    quarantined = [
        {name: row[name] for name in row if name != "id"}
        for row in rows["eventlog.QuarantinedMessage"]
    ]
    return {
        name: rows[name]
        for name in (
            *("eventlog.LoggedEvent", "eventlog.StreamCursor", "eventlog.SkippedEvent"),
            "jobs.Job",
        )
    } | {
        "stored": sorted(stored, key=lambda row: (row["originator_id"], row["originator_version"])),
        "quarantined": quarantined,
    }


@pytest.fixture
def system(hear, poison):
    """A bit of everything: own events, others', a skip, a gap accepted, a quarantined message."""
    for number in range(3):
        request_job(JobRequest(url=URL, id=f"own-{number}"))
    stop_job("own-1")
    hear(Story.whole("whole"))
    poison(Story.whole("bad"), 1)
    assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
    assert manage("gaps", "--accept", "recorder/whole.1", "--reason", "burnt").code == 0
    Inbox(refold).receive([Arrival("{broken")])
    LoggedEvent.objects.filter(job_id="own-2").update(position=LoggedEvent.objects.count() + 900)
    refold(["own-2"])
    return kept()


class TestExport:
    def test_imported_into_an_empty_system_shows_the_same(self, system, tmp_path):
        file = tmp_path / "log.jsonl"
        assert manage("export", file).code == 0
        empty()
        done = manage("import", file)
        assert done.code == 0
        assert "5 jobs" in done.out
        assert kept() == system

    def test_of_an_import_is_the_same_file(self, system, tmp_path):
        files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
        RelayPosition.objects.create(name="topic", notification_id=10**9)
        export(Call(), files[0])
        empty()
        import_log(Call(), files[0])
        export(Call(), files[1])
        assert files[0].read_bytes() == files[1].read_bytes()

    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(title=st.text(max_size=30), bodies=st.lists(st.text(max_size=40), max_size=3))
    def test_keeps_every_character(self, tmp_path, title, bodies):
        empty()
        story = Story().requested()
        event = story.accepted().events[-1]
        odd = event.model_copy(update={"data": event.data.model_copy(update={"title": title})})
        Inbox(refold).record([story.events[0], odd])
        Inbox(refold).receive([Arrival(body) for body in bodies])
        before = kept()
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        export(Call(), file)
        empty()
        import_log(Call(), file)
        assert kept() == before

    def test_goes_on_with_what_was_begun(self, system, tmp_path):
        whole, begun = tmp_path / "whole.jsonl", tmp_path / "begun.jsonl"
        export(Call(), whole)
        lines = whole.read_bytes().splitlines(keepends=True)
        part = tmp_path / "begun.jsonl.part"
        part.write_bytes(b"".join(lines[:9]) + lines[9][:40])
        export(Call(), begun)
        assert begun.read_bytes() == whole.read_bytes()
        assert not part.exists()

    def test_goes_on_with_one_that_had_come_to_its_end(self, system, tmp_path):
        whole, begun = tmp_path / "whole.jsonl", tmp_path / "begun.jsonl"
        export(Call(), whole)
        (tmp_path / "begun.jsonl.part").write_bytes(whole.read_bytes())
        export(Call(), begun)
        assert begun.read_bytes() == whole.read_bytes()

    def test_writes_over_nothing(self, tmp_path):
        file = tmp_path / "log.jsonl"
        file.write_text("mine")
        assert manage("export", file).code == 1
        assert manage("export", tmp_path / "nowhere" / "log.jsonl").code == 1
        assert manage("export", tmp_path / "log.part").code == 2
        assert file.read_text() == "mine"

    def test_is_refused_while_the_log_lacks_events_of_the_portal(self, tmp_path):
        request_job(JobRequest(url=URL, id="concert"))
        LoggedEvent.objects.all().delete()
        StreamCursor.objects.all().delete()
        done = manage("export", tmp_path / "log.jsonl")
        assert done.code == 1
        assert "gaps --repair" in done.error

    def test_writes_nothing_in_a_dry_run(self, system, tmp_path):
        done = manage("export", tmp_path / "log.jsonl", "--dry-run", "--json")
        assert done.code == 0
        assert done.json["counts"]["event"] == LoggedEvent.objects.count()
        assert list(tmp_path.iterdir()) == []


class TestImport:
    @pytest.fixture
    def file(self, system, tmp_path):
        path = tmp_path / "log.jsonl"
        export(Call(), path)
        empty()
        return path

    def test_done_again_changes_nothing(self, file):
        assert manage("import", file).code == 0
        before = kept()
        done = manage("import", file, "--json")
        assert (done.code, done.json["counts"].get("event")) == (0, 0)
        assert kept() == before

    def test_goes_on_where_it_was_interrupted(self, file, system, monkeypatch):
        monkeypatch.setattr("portal.replay.importing._BATCH", 5)

        def stop(done, _total):
            if done >= 10:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            import_log(Call(progress=stop), file)
        assert LoggedEvent.objects.count() == 10
        assert manage("import", file).code == 0
        assert kept() == system

    def test_is_refused_where_there_is_another_log(self, file, hear):
        hear(Story("stranger").requested())
        done = manage("import", file)
        assert done.code == 1
        assert "empty" in done.error
        assert list(Job.objects.values_list("id", flat=True)) == ["stranger"]

    def test_is_refused_for_a_file_that_is_not_whole(self, file):
        lines = file.read_bytes().splitlines(keepends=True)
        for content in (lines[:-1], [*lines[:4], lines[4][:30]], [b"{}\n"], []):
            file.write_bytes(b"".join(content))
            assert manage("import", file).code == 1
        assert manage("import", file.with_name("nothing")).code == 1
        assert not LoggedEvent.objects.exists()

    def test_changes_nothing_in_a_dry_run(self, file):
        before = everything()
        done = manage("import", file, "--dry-run", "--json")
        assert done.code == 0
        events = sum(json.loads(line)["kind"] == "event" for line in file.open())
        assert done.json["counts"]["event"] == events
        assert everything() == before

    def test_lets_commands_go_on(self, file, tmp_path):
        manage("import", file)
        extend_job("own-0", 90)
        assert Job.objects.get(id="own-0").max_duration == 90
        newest = LoggedEvent.objects.order_by("-position")[0]
        assert (newest.stream, newest.sequence) == ("portal/own-0", 2)
        assert manage("gaps", "--job", "own-0").code == 0
        assert User.objects.count() == 0

    def test_leaves_unsaid_what_was_said_and_says_what_was_not(self, system, tmp_path):
        stored = StoredEvent.objects.order_by("id")
        said = stored[1].id
        RelayPosition.objects.create(name="topic.fifo", notification_id=said)
        RelayPosition.objects.create(name="topic.fifo#an-incarnation", notification_id=said)
        unsaid = [bytes(row.state) for row in stored if row.id > said]
        file = tmp_path / "log.jsonl"
        export(Call(), file)
        empty()
        import_log(Call(), file)
        waiting = outbox().select_notifications(0, 100, inclusive_of_start=False)
        assert sorted(one.state for one in waiting) == sorted(unsaid)
        topic = Topic("topic.fifo", "arn", "another")
        assert Positions(outbox()).of(topic) == 0
