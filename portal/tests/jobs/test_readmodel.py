from __future__ import annotations

import random
from io import StringIO

import pytest
from chronicle_contracts import encode
from django.core.management import CommandError, call_command
from portal.eventlog import history
from portal.eventlog.entry import Entry
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import LoggedEvent, ParkedJob
from portal.jobs.models import Job
from portal.jobs.projection import fold_history
from portal.jobs.readmodel import refold, row_of, state_of

from tests.fixtures.story import Story

pytestmark = pytest.mark.django_db


def hear(events):
    return Inbox(refold).receive([Arrival(encode(event).decode()) for event in events])


def columns():
    return list(Job.objects.order_by("id").values())


def run(command, **options):
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def many_jobs():
    hear([event for n in range(30) for event in Story.whole(f"job-{n:02}").events])


class TestRow:
    def test_gives_back_the_state_it_was_made_of(self):
        state = fold_history(
            history.read([(1, encode(one).decode()) for one in Story.whole().events])
        )
        assert state is not None
        row = row_of(state)
        row.save()
        assert state_of(Job.objects.get()) == state

    def test_holds_no_nul(self):
        story = Story().requested()
        event = story.accepted().events[-1]
        title = event.data.model_copy(update={"title": "Con\x00cert"})
        hear([story.events[0], event.model_copy(update={"data": title})])
        job = Job.objects.get()
        assert job.title == "Con\N{REPLACEMENT CHARACTER}cert"
        assert "\x00" not in str(job.timeline)


class TestRefold:
    @pytest.mark.parametrize("seed", range(4))
    def test_of_shuffled_and_repeated_arrivals_equals_the_fold_in_order(self, seed):
        chance = random.Random(seed)
        events = Story.whole(heartbeats=6).events
        arriving = events + chance.sample(events, 12)
        chance.shuffle(arriving)
        while arriving:
            some = chance.randint(1, 5)
            hear(arriving[:some])
            del arriving[:some]
        position = dict(LoggedEvent.objects.values_list("event_id", "position"))
        expected = fold_history(Entry(event, position[event.id]) for event in events)
        assert state_of(Job.objects.get()) == expected

    def test_reads_few_events_of_a_long_recording(self):
        hear(Story.whole(heartbeats=400).events)
        read = history.of_jobs(["concert"])["concert"]
        assert len(read) < 20
        assert fold_history(history.read(read)) == fold_history(history.of_job("concert"))

    def test_parks_a_job_that_cannot_be_folded_and_goes_on_with_the_others(self):
        hear(Story("broken").requested().events + Story("whole").requested().events)
        LoggedEvent.objects.filter(job_id="broken").update(envelope="{}")
        hear(
            Story("broken").requested().accepted().events
            + Story("whole").requested().accepted().events
        )
        assert ParkedJob.objects.get().job_id == "broken"
        assert Job.objects.get(id="broken").title is None
        assert Job.objects.get(id="whole").title == "Concert"

    def test_forgets_that_a_job_was_parked_once_it_folds_again(self):
        hear(Story().requested().events)
        envelope = LoggedEvent.objects.get().envelope
        LoggedEvent.objects.update(envelope="{}")
        refold(["concert"])
        assert ParkedJob.objects.exists()
        LoggedEvent.objects.update(envelope=envelope)
        refold(["concert"])
        assert not ParkedJob.objects.exists()


class TestAsOf:
    def test_shows_a_job_as_it_was(self):
        receipt = hear(Story.whole().events)
        first = receipt.stored[0].position
        then = fold_history(history.of_job("concert", until_position=first + 1))
        assert then is not None
        assert (then.status, then.title) == ("PENDING", "Concert")
        assert (
            fold_history(history.of_job("concert", until=receipt.stored[0].occurred_at)) is not None
        )
        assert fold_history(history.of_job("concert", until_position=first - 1)) is None


class TestRebuild:
    def test_writes_what_the_live_projection_wrote(self, many_jobs):
        live = columns()
        Job.objects.all().delete()
        assert "30 rows written, 0 removed, 0 jobs parked" in run("rebuild_projections")
        assert columns() == live

    def test_goes_chunk_by_chunk(self, many_jobs, monkeypatch):
        monkeypatch.setattr("portal.jobs.readmodel.CHUNK", 7)
        live = columns()
        Job.objects.update(status="FAILED")
        assert "28 jobs folded" in run("rebuild_projections")
        assert columns() == live

    def test_removes_rows_without_a_history(self, many_jobs):
        LoggedEvent.objects.filter(job_id="job-07").delete()
        assert "1 removed" in run("rebuild_projections")
        assert not Job.objects.filter(id="job-07").exists()

    def test_only_says_what_it_would_do_in_a_dry_run(self, many_jobs):
        Job.objects.filter(id="job-03").update(status="FAILED")
        assert "30 jobs, 1 would change" in run("rebuild_projections", dry_run=True)
        assert Job.objects.get(id="job-03").status == "FAILED"

    def test_fails_loudly(self, many_jobs):
        LoggedEvent.objects.filter(job_id="job-03", sequence=1).update(envelope="{}")
        with pytest.raises(CommandError, match="1 jobs cannot be folded"):
            run("rebuild_projections")


class TestVerify:
    def test_finds_nothing_where_all_is_well(self, many_jobs):
        assert "30 jobs compared, 0 differ" in run("verify")

    def test_finds_what_differs(self, many_jobs):
        Job.objects.filter(id="job-03").update(status="FAILED", attempt=9)
        Job.objects.filter(id="job-04").delete()
        LoggedEvent.objects.filter(job_id="job-05").delete()
        out = StringIO()
        with pytest.raises(CommandError, match="3 read models differ"):
            call_command("verify", stdout=out)
        assert "job-03: differs in status, attempt" in out.getvalue()
        assert "job-04: has a history but no row" in out.getvalue()
        assert "job-05: has a row but no history" in out.getvalue()
