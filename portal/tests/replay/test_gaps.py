"""What streams lack is found by their cursors, and had from journals and the portal's store."""

from __future__ import annotations

import pytest
from chronicle_contracts import encode, naming
from chronicle_storage import StorageSettings, open_store
from portal.eventlog.models import LoggedEvent, StoredEvent, StreamCursor
from portal.jobs.commands import request_job
from portal.jobs.models import Job
from portal.jobs.requests import JobRequest
from portal.replay import gaps
from portal.replay.journals import SUFFIX

from tests.fixtures.commands import columns, everything, manage
from tests.fixtures.story import URL, Story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recordings(tmp_path, monkeypatch):
    """A recording store of the test's own."""
    monkeypatch.setenv("CHRONICLE_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.delenv("S3_BUCKET", raising=False)
    store = open_store(StorageSettings())
    monkeypatch.setattr("portal.replay.repairing.recording_store", lambda: store)
    return store


def recorder_lines(story):
    events = [event for event in story.events if event.stream.startswith("recorder/")]
    return b"".join(encode(event) + b"\n" for event in events)


@pytest.fixture
def journal(recordings):
    """Leave the journal of a story beside its recording."""

    def leave(story, lines=None):
        recordings.put(story.key + SUFFIX, recorder_lines(story) if lines is None else lines)

    return leave


def without(story, *places):
    """Return the story as it was heard: without some places."""
    heard = Story(story.job_id)
    heard.events = [one for one in story.events if (one.stream, one.sequence) not in places]
    return heard


def kinds():
    return [(gap.kind, gap.stream, gap.shown) for gap in gaps.find()]


class TestFind:
    def test_says_nothing_where_all_streams_are_whole(self, hear):
        hear(Story("whole").requested().accepted().launched().recording().ended().uploaded())
        assert manage("gaps").code == 0

    def test_names_the_holes_of_a_stream(self, hear):
        story = Story().requested().accepted().launched().recording(heartbeats=9)
        run = "recorder/concert.1"
        hear(without(story, (run, 3), (run, 4), (run, 7)))
        assert kinds() == [("hole", run, "3-4, 7"), ("tail", run, "11...")]

    def test_sees_the_lost_last_word_of_a_job_that_is_over(self, hear):
        hear(Story.whole())  # its first run was lost and never sealed
        assert kinds() == [("tail", "recorder/concert.1", "5...")]

    def test_leaves_a_recorder_alone_that_speaks(self, hear):
        hear(Story().requested().accepted().launched().recording())
        assert gaps.find(now=Job.objects.get().updated_at) == []

    def test_sees_a_run_that_was_launched_and_never_heard(self, hear):
        hear(Story().requested().accepted().launched().lost())
        assert kinds() == [("unheard", "recorder/concert.1", "1...")]

    def test_asks_only_about_the_jobs_that_are_named(self, hear):
        hear(Story.whole("one"), Story.whole("two"))
        assert manage("gaps", "--job", "two", "--json").json["counts"] == {"tail": 1}

    def test_ends_with_1_while_something_is_missing(self, hear):
        hear(Story.whole())
        done = manage("gaps")
        assert done.code == 1
        assert "recorder/concert.1" in done.out


class TestRepair:
    def test_gets_holes_and_the_last_word_from_the_journal(self, hear, journal):
        story = Story("gig").requested().accepted().launched().recording(heartbeats=6)
        story.ended().uploaded()
        run = naming.recorder_stream("gig.1")
        hear(story)
        expected = {**columns()[0], "position": 0, "timeline": []}
        LoggedEvent.objects.all().delete()
        StreamCursor.objects.all().delete()
        hear(without(story, (run, 3), (run, 8), (run, 9)))
        assert Job.objects.get().status == "RECORDING"
        journal(story)
        done = manage("gaps", "--repair")
        assert (done.code, kinds()) == (0, [])
        assert "3 events" in done.out
        assert {**columns()[0], "position": 0, "timeline": []} == expected

    def test_takes_the_streams_of_lost_runs_for_whole_when_the_journal_has_no_more(
        self, hear, journal
    ):
        story = Story.whole()
        hear(story)
        journal(story)
        assert manage("gaps", "--repair").code == 0
        cursor = StreamCursor.objects.get(stream="recorder/concert.1")
        assert (cursor.ended_at_sequence, cursor.ended_by) == (4, "its journal")
        assert cursor.is_complete
        assert manage("gaps").code == 0

    def test_learns_from_the_journal_that_a_run_said_nothing(self, hear, journal):
        story = Story().requested().accepted().launched().recording(heartbeats=1).lost()
        story.launched().lost().launched().recording().ended().uploaded()
        hear(story)
        journal(story)
        assert [kind for kind, *_ in kinds()] == ["tail", "unheard"]
        assert manage("gaps", "--repair").code == 0

    def test_does_not_believe_a_journal_that_knows_its_own_run_alone(self, hear, journal):
        story = Story.whole()
        hear(story)
        own = [line for line in recorder_lines(story).splitlines(True) if b"concert.2" in line]
        journal(story, b"".join(own))
        assert manage("gaps", "--repair").code == 1
        assert kinds() == [("tail", "recorder/concert.1", "5...")]

    def test_leaves_what_nobody_has_and_says_why(self, hear):
        hear(Story.whole())
        done = manage("gaps", "--repair")
        assert done.code == 1
        assert "there is no journal" in done.out

    def test_passes_over_lines_that_are_broken_or_of_another_job(self, hear, journal):
        story = Story.whole()
        hear(story)
        strange = recorder_lines(Story.whole("strange"))
        journal(story, b'{"half": \n' + strange + recorder_lines(story) + b'{"cut o')
        assert manage("gaps", "--repair").code == 0
        assert not LoggedEvent.objects.filter(job_id="strange").exists()

    def test_gets_the_portals_own_events_from_its_store(self):
        request_job(JobRequest(url=URL, id="concert"))
        before = Job.objects.get().requested_at
        assert StoredEvent.objects.count() == 1
        for model in (LoggedEvent, StreamCursor, Job):
            model.objects.all().delete()
        assert kinds() == [("own", "portal/concert", "1")]
        assert manage("gaps", "--repair").code == 0
        assert Job.objects.get().requested_at == before

    def test_tells_in_a_dry_run_what_could_be_had(self, hear, journal):
        one, two = Story.whole("one"), Story.whole("two")
        hear(one, two)
        journal(one)
        before = everything()
        done = manage("gaps", "--repair", "--dry-run")
        assert done.code == 1
        assert "1 can be repaired, 1 not repaired" in done.out
        assert everything() == before

    def test_leaves_a_record(self, hear):
        hear(Story.whole())
        record = manage("gaps", "--repair", "--json").json["record"]
        (row,) = everything()["replay.Replay"]
        assert str(row["id"]) == record
        assert (row["verb"], row["outcome"], row["left"]) == ("gaps", "incomplete", 1)


class TestAccept:
    def test_takes_a_tail_for_whole_with_a_reason(self, hear):
        hear(Story.whole())
        run = "recorder/concert.1"
        assert manage("gaps", "--accept", run).code == 2
        assert manage("gaps", "--accept", run, "--reason", "the machine burnt").code == 0
        assert "the machine burnt" in StreamCursor.objects.get(stream=run).ended_by
        assert manage("gaps").code == 0

    def test_knows_only_streams_with_a_lost_tail(self, hear):
        hear(Story.whole())
        done = manage("gaps", "--accept", "recorder/concert.2", "--reason", "why not")
        assert done.code == 1
        assert "no lost tail" in done.error

    def test_does_not_go_with_repair(self):
        assert manage("gaps", "--accept", "x", "--repair").code == 2
