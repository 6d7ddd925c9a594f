from __future__ import annotations

import random

import pytest
from chronicle_contracts import encode
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
