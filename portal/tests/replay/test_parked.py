"""Poison events: found, retried after a change of code, or passed over for good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db.models import Model
from portal.eventlog import history
from portal.eventlog.models import LoggedEvent, ParkedJob, SkippedEvent, StreamCursor
from portal.jobs.changes import changes_of
from portal.jobs.models import Job
from portal.jobs.verification import Counts, differences
from portal.projections.models import Checkpoint, Recording, ServiceVoice, Torrent
from portal.projections.registry import PROJECTIONS
from portal.replay.parked import find_poison, list_parked
from portal.replay.past import as_of
from portal.replay.records import Call

from tests.fixtures.commands import columns, everything, manage
from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


class TestList:
    def test_is_empty_where_all_is_well(self):
        assert manage("parked", "list").code == 0

    def test_names_the_event_that_is_to_blame(self, poison):
        row = poison(Story.whole("bad"), 2)
        done = manage("parked", "list", "--json")
        assert done.code == 1
        (item,) = done.json["items"]
        assert (item["job"], item["position"], item["type"]) == ("bad", row.position, row.type)
        assert "not a Chronicle event" in item["error"]

    def test_folds_nothing_however_many_there_are(self, hear, refusing, django_assert_num_queries):
        refusing({"jobs", "torrents"}, lambda event: "Uploaded" in event.type)
        hear(*(Story.whole(f"bad-{n}") for n in range(5)))
        with django_assert_num_queries(2):
            report = list_parked(Call())
        assert (report.left, len(report.items)) == (10, 10)
        assert {item["type"] for item in report.items} == {"chronicle.recorder.Uploaded.v2"}

    def test_names_an_event_that_can_be_read_and_not_folded(self, hear, monkeypatch):
        hear(Story.whole("bad"))
        row = LoggedEvent.objects.get(type__contains="Uploaded")

        def fold(state, event, *, position=0):
            assert "Uploaded" not in event.type
            return state

        broken = [replace(one, fold=fold) if one.name == "torrents" else one for one in PROJECTIONS]
        monkeypatch.setattr("portal.replay.parked.PROJECTIONS", broken)
        poison = find_poison("bad")
        assert poison is not None
        assert (poison.projection, poison.position) == ("torrents", row.position)
        assert find_poison("bad", "jobs") is None


class TestProjections:
    def test_are_parked_by_themselves_and_the_others_go_on(self, hear, monkeypatch):
        def fold(state, event, *, position=0):
            assert "TorrentCreated" not in event.type, "what is this"
            return state

        broken = [replace(one, fold=fold) if one.name == "torrents" else one for one in PROJECTIONS]
        with monkeypatch.context() as patched:
            for module in ("projections.live", "replay.parked"):
                patched.setattr(f"portal.{module}.PROJECTIONS", broken)
            hear(Story.whole("bad"), Story("good").requested())
            row = LoggedEvent.objects.get(type__contains="TorrentCreated")
            parked = ParkedJob.objects.get()
            assert (parked.job_id, parked.projection, parked.position) == (
                "bad",
                "torrents",
                row.position,
            )
            assert "assert " in parked.traceback
            (item,) = manage("parked", "list", "--json").json["items"]
            assert (item["projection"], item["position"]) == ("torrents", row.position)
        assert Job.objects.get(id="bad").status == "COMPLETED"
        assert Recording.objects.filter(job_id="bad").exists()
        assert not Torrent.objects.exists()
        assert manage("parked", "retry", "bad").code == 0
        assert Torrent.objects.get().state == "seeding"
        assert not ParkedJob.objects.exists()


class TestRetry:
    def test_folds_a_job_that_can_be_folded_by_now(self, poison):
        row = poison(Story.whole("bad"))
        assert manage("parked", "retry").code == 1
        LoggedEvent.objects.filter(pk=row.pk).update(envelope=row.envelope)
        done = manage("parked", "retry", "bad")
        assert done.code == 0
        assert "folds again" in done.out
        assert not ParkedJob.objects.exists()

    def test_knows_only_jobs_that_are_parked(self, hear):
        hear(Story.whole())
        done = manage("parked", "retry", "concert")
        assert done.code == 1
        assert "is not parked" in done.error


class TestSkip:
    def test_passes_the_event_over_and_the_timeline_says_so(self, poison):
        row = poison(Story.whole("bad"), 1)
        assert manage("parked", "skip", "bad", "--reason", "written by a broken build").code == 0
        job = Job.objects.get()
        assert (job.status, job.title) == ("COMPLETED", None)
        (line,) = [one for one in job.timeline if one["position"] == row.position]
        assert line["what"] == "Event dispatcher.JobAccepted.v1 passed over"
        assert line["detail"] == "written by a broken build"
        times = [one["at"] for one in job.timeline]
        assert times == sorted(times)
        assert not ParkedJob.objects.exists()
        assert LoggedEvent.objects.filter(pk=row.pk).exists()

    def test_holds_in_every_later_fold(self, hear, poison):
        poison(Story.whole("bad"), 1)
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        again = Story.whole("bad")
        again.heartbeat()
        hear(again)
        assert not ParkedJob.objects.exists()
        assert not list(differences(Counts()))
        live = columns()
        assert manage("rebuild").code == 0
        assert manage("swap").code == 0
        assert columns() == live

    def test_of_a_heartbeat_shows_the_one_before_it(self, hear, poison):
        story = Story("bad").requested().accepted().launched().recording(heartbeats=3)
        poison(story, len(story.events) - 1)
        assert ParkedJob.objects.exists()
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        progress = Job.objects.get().progress
        assert progress is not None
        assert progress["at"] == story.events[-2].time.isoformat().replace("+00:00", "Z")

    def test_of_all_that_is_known_leaves_a_row_with_the_mark(self, poison):
        poison(Story("bad").requested(), 0)
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        job = Job.objects.get()
        assert (job.status, len(job.timeline)) == ("PENDING", 1)

    def test_goes_one_event_at_a_time(self, poison):
        poison(Story.whole("bad"), 1)
        rows = LoggedEvent.objects.order_by("position")
        LoggedEvent.objects.filter(pk=rows[2].pk).update(envelope="{}")
        done = manage("parked", "skip", "bad", "--reason", "nonsense")
        assert done.code == 1
        assert "still at" in done.out
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        assert SkippedEvent.objects.count() == 2

    def test_needs_a_reason_and_one_job(self, poison):
        poison(Story.whole("bad"))
        assert manage("parked", "skip", "bad").code == 2
        assert manage("parked", "skip", "--reason", "x").code == 2
        assert manage("parked", "skip", "bad", "--position", "99999", "--reason", "x").code == 1
        assert manage("parked", "skip", "good", "--reason", "x").code == 1

    def test_changes_nothing_in_a_dry_run(self, poison):
        poison(Story.whole("bad"))
        before = everything()
        assert manage("parked", "skip", "bad", "--reason", "x", "--dry-run").code == 0
        assert manage("parked", "retry", "--dry-run").code == 1
        assert everything() == before


def empty():
    """Another system, which has nothing yet."""
    tables: list[type[Model]] = [LoggedEvent, StreamCursor, SkippedEvent, ParkedJob]
    for table in [*tables, *(one.model for one in PROJECTIONS)]:
        table._default_manager.all().delete()
    Checkpoint.objects.update(position=0)


@pytest.fixture
def refusing(monkeypatch):
    """Some projections cannot take an event, whoever folds them."""

    def refuse(names, is_meant):
        def refused(projection):
            def fold(state, event, *, position=0):
                assert not is_meant(event), "what is this"
                return projection.fold(state, event, position=position)

            return replace(projection, fold=fold) if projection.name in names else projection

        broken = tuple(map(refused, PROJECTIONS))
        for module in ("projections.live", "replay.parked"):
            monkeypatch.setattr(f"portal.{module}.PROJECTIONS", broken)
        return broken

    return refuse


class TestSkipOfSomeProjections:
    def test_is_what_happens_where_others_can_fold_the_event(self, hear, refusing):
        broken = refusing({"torrents", "services"}, lambda event: "TorrentCreated" in event.type)
        hear(Story.whole("bad"))
        done = manage("parked", "skip", "bad", "--reason", "nonsense", "--json")
        assert (done.code, done.json["items"][0]["projections"]) == (0, "services, torrents")
        job = Job.objects.get()
        assert (job.status, (job.torrent or {})["key"][-8:]) == ("COMPLETED", ".torrent")
        passed = [one["what"] for one in job.timeline if "passed over" in one["what"]]
        assert passed == ["Event seeder.TorrentCreated.v1 passed over by services, torrents"]
        assert as_of("bad", position=job.position).torrent is not None
        assert sum(one.what in passed for one in changes_of("bad")) == 1
        assert Torrent.objects.get().key is None
        assert not ParkedJob.objects.exists()
        assert not list(differences(Counts(), broken))

    def test_leaves_what_parks_another_one(self, hear, refusing):
        refusing({"torrents", "services"}, lambda event: "TorrentCreated" in event.type)
        hear(Story.whole("bad"))
        skip = ("parked", "skip", "bad", "--reason")
        assert manage(*skip, "one", "--projection", "torrents").code == 1
        assert ParkedJob.objects.get().projection == "services"
        assert manage(*skip, "two", "--projection", "services").code == 0
        mark = SkippedEvent.objects.get()
        assert (mark.projections, mark.reason) == (["services", "torrents"], "one; two")
        assert manage(*skip, "x", "--projection", "torrents").code == 1

    def test_may_be_of_all(self, hear, refusing):
        refusing({"torrents"}, lambda event: "TorrentCreated" in event.type)
        hear(Story.whole("bad"))
        skip = ("parked", "skip", "bad", "--reason", "nonsense", "--projection")
        assert manage(*skip, "dreams").code == 2
        assert manage(*skip, "all").code == 0
        assert SkippedEvent.objects.get().projections == []
        assert not (Job.objects.get().torrent or {})["key"]

    def test_of_a_heartbeat_shows_them_the_one_before_it(self, hear, refusing):
        story = Story("bad").requested().accepted().launched().recording(heartbeats=3)
        newest, before = story.events[-1], story.events[-2]
        broken = refusing({"services"}, lambda event: event.id == newest.id)
        hear(story)
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        assert ServiceVoice.objects.get(publisher="recorder").heartbeat_at == before.time
        told = Job.objects.get().progress or {}
        assert told["at"] == newest.time.isoformat().replace("+00:00", "Z")
        assert not list(differences(Counts(), broken))

    def test_is_carried_over_by_an_export(self, hear, refusing, tmp_path):
        refusing({"torrents"}, lambda event: "TorrentCreated" in event.type)
        hear(Story.whole("bad"))
        assert manage("parked", "skip", "bad", "--reason", "nonsense").code == 0
        before = columns()
        assert manage("export", tmp_path / "log.jsonl").code == 0
        empty()
        assert manage("import", tmp_path / "log.jsonl").code == 0
        assert columns() == before
        assert SkippedEvent.objects.get().projections == ["torrents"]


class TestStandingStill:
    @pytest.mark.parametrize("batch", [1, 3, 100])
    def test_is_where_the_job_was_before_the_event_in_whatever_batches_it_came(
        self, hear, refusing, batch
    ):
        refusing({"jobs"}, lambda event: "Uploaded" in event.type)
        story = Story.whole("bad")
        parts = [story.events[n : n + batch] for n in range(0, len(story.events), batch)]
        for events in parts:
            part = Story("bad")
            part.events = events
            hear(part)
        uploaded = LoggedEvent.objects.get(type__contains="Uploaded")
        job = Job.objects.get()
        assert (job.status, job.recording) == ("UPLOADING", None)
        assert job.position == uploaded.position - 1
        assert (Torrent.objects.get().state, Recording.objects.count()) == ("seeding", 1)

    def test_of_what_cannot_be_read_is_before_it_in_all_projections(self, hear, monkeypatch):
        story = Story.whole("bad")
        refused = next(one for one in story.events if "TorrentCreated" in one.type)
        read = history.entry

        def entry(position, envelope):
            assert str(refused.id) not in envelope, "what is this"
            return read(position, envelope)

        monkeypatch.setattr(history, "entry", entry)
        hear(story)
        assert ParkedJob.objects.get().projection == ""
        assert Job.objects.get().status == "CREATING_TORRENT"
        assert Recording.objects.exists()
        assert not Torrent.objects.exists()

    def test_is_the_same_after_an_export_and_import(self, hear, refusing, tmp_path):
        refusing({"jobs", "torrents"}, lambda event: "SeedingStarted" in event.type)
        hear(Story.whole("bad"), Story.whole("good"))
        before = columns()
        assert manage("export", tmp_path / "log.jsonl").code == 0
        empty()
        done = manage("import", tmp_path / "log.jsonl", "--json")
        assert (done.code, done.json["left"]) == (1, 2)
        assert columns() == before
        assert ParkedJob.objects.count() == 4

    def test_leaves_rows_alone_that_know_more_than_code_of_now(self, poison):
        poison(Story.whole("bad"), 1)
        assert Job.objects.get().status == "COMPLETED"


class TestAsOf:
    def test_shows_a_job_as_it_was(self, hear):
        stored = hear(Story.whole()).stored
        done = manage("as_of", "concert", "--position", stored[1].position)
        assert done.code == 0
        assert "status: PENDING" in done.out
        assert "URL checked" in done.out
        time = stored[-1].occurred_at.isoformat()
        assert manage("as_of", "concert", "--time", time, "--json").json["items"][0]["torrent"]

    def test_takes_a_skip_into_account(self, poison):
        row = poison(Story.whole("bad"), 1)
        assert manage("as_of", "bad", "--position", row.position + 5).code == 1
        assert manage("parked", "skip", "bad", "--reason", "x").code == 0
        assert len(as_of("bad", position=row.position).timeline) == 2
        assert len(as_of("bad", position=row.position - 1).timeline) == 1

    def test_wants_one_moment_and_a_job_that_was_known(self, hear):
        hear(Story.whole())
        assert manage("as_of", "concert").code == 2
        assert manage("as_of", "concert", "--time", "noon").code == 2
        assert manage("as_of", "nobody", "--position", 3).code == 1
