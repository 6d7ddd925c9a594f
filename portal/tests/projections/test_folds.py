from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r
from chronicle_contracts import seeder as s
from portal.projections.models import DayShare, Recording, ServiceVoice, Torrent
from portal.projections.registry import RECORDINGS, SERVICES, TORRENTS, TOTALS
from portal.projections.summaries import SILENT_AFTER, days, services

from tests.fixtures.story import INFO_HASH, NOON, Story


def state_of(projection, story):
    state = None
    for position, event in enumerate(story.events, 1):
        state = projection.fold(state, event, position=position)
    return state


def rows_of(projection, story):
    return projection.rows(story.job_id, state_of(projection, story))


def running(job_id="concert", *, at=NOON):
    return Story(job_id, at=at).requested().accepted().launched().recording()


class TestRecordings:
    def test_have_a_row_once_they_are_uploaded(self):
        assert rows_of(RECORDINGS, running().ended()) == ()
        (row,) = rows_of(RECORDINGS, running().ended().uploaded())
        assert (row["title"], row["size"], row["duration"]) == ("Concert", 30_000, 30.0)
        assert (row["end"], row["attempts"], row["deleted_at"]) == ("ended", 1, None)

    def test_say_what_they_lack(self):
        story = running().ended()
        whole = story.uploaded().events.pop()
        assert isinstance(whole.data, r.Uploaded)
        gap = r.Gap(cause="stall", seconds=4, at_media_seconds=9)
        for change, losses in (
            ({"gaps": ()}, False),
            ({"gaps": (gap,)}, True),
            ({"completeness": r.Completeness(score=0.9, missing_seconds=0, verified=True)}, True),
            ({"completeness": r.Completeness(score=1, missing_seconds=0, verified=True)}, False),
        ):
            fact = whole.data.model_copy(update=change)
            story.events.append(whole.model_copy(update={"data": fact}))
            (row,) = rows_of(RECORDINGS, story)
            assert row["losses"] is losses, change
            story.events.pop()

    def test_are_marked_when_they_are_deleted(self):
        story = running().ended().uploaded()
        event = story.tell(p.RecordingDeleted(key=story.key, reason="old"))
        (row,) = rows_of(RECORDINGS, story)
        assert row["deleted_at"] == event.time


class TestTorrents:
    def test_follow_the_seeder(self):
        story = running().ended().uploaded()
        assert state_of(TORRENTS, story) is None
        story.seeded()
        assert rows_of(TORRENTS, story)[0]["state"] == "seeding"
        story.tell(s.SeedingProgress(info_hash=INFO_HASH, uploaded=9, ratio=0.3, peers=2))
        (row,) = rows_of(TORRENTS, story)
        assert (row["uploaded"], row["peers"], row["engine"]) == (9, 2, "libtorrent")
        story.tell(s.SeedingStopped(info_hash=INFO_HASH, why="ratio"))
        (row,) = rows_of(TORRENTS, story)
        assert (row["state"], row["why_stopped"]) == ("stopped", "ratio")

    def test_say_why_there_is_none(self):
        story = running().ended().uploaded()
        story.tell(s.TorrentFailed(recording_key=story.key, code="no_space", detail="Full."))
        (row,) = rows_of(TORRENTS, story)
        assert (row["state"], row["error_code"]) == ("failed", "no_space")


class TestTotals:
    def test_count_a_failure_that_was_made_up_for_nowhere(self):
        story = running().failed().launched().recording().ended().uploaded()
        (row,) = rows_of(TOTALS, story)
        assert (row["recordings"], row["failures"], row["bytes"]) == (1, 0, 30_000)

    def test_keep_a_failure_that_was_answered_with_a_retry(self):
        story = running().failed()
        story.tell(p.RetryRequested())
        story.launched().recording().ended().uploaded()
        rows = rows_of(TOTALS, story)
        assert sorted((row["recordings"], row["failures"], row["code"]) for row in rows) == [
            (0, 1, "disk_full"),
            (1, 0, ""),
        ]

    def test_name_the_recorders_own_reason_when_a_job_is_given_up(self):
        story = running().failed()
        story.tell(d.JobAbandoned(code="too_many", detail="5", attempts=5))
        (row,) = rows_of(TOTALS, story)
        assert (row["failures"], row["code"]) == (1, "disk_full")

    def test_do_not_count_what_was_stopped(self):
        story = Story().requested()
        story.tell(d.JobAbandoned(code="stopped", detail="", attempts=0))
        assert rows_of(TOTALS, story) == []


class TestServices:
    def test_owe_what_comes_next(self):
        def owing(story):
            return {row["publisher"] for row in rows_of(SERVICES, story) if row["owes_since"]}

        story = Story().requested()
        assert owing(story) == {"dispatcher"}
        assert owing(story.accepted()) == {"dispatcher"}
        assert owing(story.launched()) == {"recorder"}
        assert owing(story.recording()) == {"recorder"}
        assert owing(story.lost()) == {"dispatcher"}
        assert owing(story.launched().recording().ended().uploaded()) == {"seeder"}
        assert owing(story.seeded()) == set()

    def test_hold_the_newest_heartbeat_of_a_run_that_is_open(self):
        story = running()
        (row,) = [row for row in rows_of(SERVICES, story) if row["publisher"] == "recorder"]
        assert (row["open_runs"], row["phase"], row["run_id"]) == (1, "RECORDING", "concert.1")
        assert row["heartbeat_at"] == story.events[-1].time
        assert row["events"] == 4


@pytest.mark.django_db
class TestSummaries:
    def test_sum_up_the_days(self, hear):
        late = NOON + timedelta(hours=11, minutes=59, seconds=56)  # uploaded after midnight
        hear(
            running("one").ended().uploaded(),
            running("two").ended().uploaded(),
            running("late", at=late).ended().uploaded(),
            running("bad").failed(),
        )
        newest, first = days()
        assert (newest.day, newest.recordings) == (date(2026, 5, 18), 1)
        assert (first.day, first.recordings, first.seconds) == (date(2026, 5, 17), 2, 60.0)
        assert (first.bytes, first.failures) == (60_000, {"disk_full": 1})
        assert [one.day for one in days(until=first.day)] == [first.day]
        assert [one.day for one in days(since=newest.day)] == [newest.day]

    def test_call_a_service_silent_when_it_owes_a_word_for_long(self, hear):
        story = running()
        hear(story)
        last = story.events[-1].time
        for now, silent in ((last + SILENT_AFTER, False), (last + 2 * SILENT_AFTER, True)):
            recorder = {one.publisher: one for one in services(now)}["recorder"]
            assert (recorder.silent, recorder.runs[0].silent) == (silent, silent)
        assert (recorder.heard_at, recorder.open_runs, recorder.owing) == (last, 1, 1)

    def test_name_every_service_before_it_has_said_a_word(self):
        found = services(datetime.now(UTC))
        assert [one.publisher for one in found] == ["portal", "dispatcher", "recorder", "seeder"]
        assert not any(one.silent for one in found)

    def test_are_made_of_rows_that_are_written_live(self, hear):
        hear(Story.whole())
        assert Recording.objects.get().losses is False
        assert Torrent.objects.get().state == "seeding"
        assert DayShare.objects.get().recordings == 1
        assert ServiceVoice.objects.count() == 4

    def test_are_parked_by_a_number_that_no_table_holds(self, hear):
        story = running().ended().uploaded()
        event = story.events.pop()
        fact = event.data.model_copy(update={"size": 10**30})
        story.events.append(event.model_copy(update={"data": fact}))
        hear(story, Story("other").requested())
        assert not Recording.objects.exists()
        assert ServiceVoice.objects.filter(job_id="other").exists()
