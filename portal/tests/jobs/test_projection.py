from __future__ import annotations

from datetime import timedelta

import pytest
from chronicle_contracts import JobStatus, current_types
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import seeder as s
from hypothesis import given, settings
from hypothesis import strategies as st
from portal.eventlog.entry import Entry
from portal.eventlog.progress import PROGRESS_TYPES
from portal.jobs.milestones import _WORDS
from portal.jobs.projection import fold, fold_history

from tests.fixtures.story import INFO_HASH, NOON, Story

WHOLE = Story.whole(heartbeats=4)


def state_of(story):
    state = fold_history(Entry(event, n) for n, event in enumerate(story.events, 1))
    assert state is not None
    return state


def running():
    return Story().requested().accepted().launched().recording()


class TestStatus:
    @pytest.mark.parametrize(
        ("story", "status"),
        [
            (Story().requested(), JobStatus.PENDING),
            (Story().requested().accepted(), JobStatus.PENDING),
            (Story().requested().accepted().launched(), JobStatus.STARTED),
            (running(), JobStatus.RECORDING),
            (running().stop_asked(), JobStatus.STOPPING),
            (running().ended(), JobStatus.UPLOADING),
            (running().stop_asked().ended("stopped"), JobStatus.UPLOADING),
            (running().stop_asked("discard").ended("discarded"), JobStatus.CANCELLED),
            (running().ended().stop_asked(), JobStatus.UPLOADING),
            (running().ended().uploaded(), JobStatus.CREATING_TORRENT),
            (running().ended().failed(), JobStatus.FAILED),
            (running().ended().failed().launched(), JobStatus.STARTED),
            (running().lost(), JobStatus.RECORDING),
            (running().lost().launched(), JobStatus.STARTED),
            (Story.whole(), JobStatus.COMPLETED),
        ],
    )
    def test_follows_the_life_of_a_job(self, story, status):
        assert state_of(story).status is status

    @pytest.mark.parametrize(
        ("fact", "status"),
        [
            (d.JobRejected(code="no_stream", detail="None."), JobStatus.REJECTED),
            (d.JobDeferred(reason="upcoming"), JobStatus.SCHEDULED),
            (d.JobAbandoned(code="stopped", detail="", attempts=0), JobStatus.CANCELLED),
            (d.JobAbandoned(code="too_many", detail="5", attempts=5), JobStatus.FAILED),
            (p.StopRequested(), JobStatus.STOPPING),
        ],
    )
    def test_follows_what_was_decided_before_a_launch(self, fact, status):
        story = Story().requested()
        story.tell(fact)
        assert state_of(story).status is status

    def test_is_seeding_once_there_is_a_torrent(self):
        story = running().ended().uploaded()
        story.tell(story.torrent_fact())
        assert state_of(story).status is JobStatus.SEEDING

    def test_is_completed_without_a_torrent_too(self):
        story = running().ended().uploaded()
        story.tell(s.TorrentFailed(recording_key=story.key, code="no_space", detail="Full."))
        state = state_of(story)
        assert state.status is JobStatus.COMPLETED
        assert state.error is None
        assert state.torrent is not None
        assert state.torrent.error is not None
        assert state.torrent.error.code == "no_space"

    def test_shows_stopping_until_the_end(self):
        story = Story().requested().stop_asked().accepted().launched().recording()
        assert state_of(story).status is JobStatus.STOPPING

    def test_is_pending_again_after_a_retry(self):
        story = running().failed()
        story.tell(p.RetryRequested())
        state = state_of(story)
        assert state.status is JobStatus.PENDING
        assert (state.error, state.progress, state.completed_at) == (None, None, None)


class TestLateWords:
    def test_a_heartbeat_after_the_end_moves_nothing_back(self):
        story = running().ended().failed()
        story.heartbeat("UPLOADING")
        assert state_of(story).status is JobStatus.FAILED

    def test_a_launch_after_the_upload_moves_nothing_back(self):
        story = running().ended().uploaded().lost().launched().recording().ended().failed()
        state = state_of(story)
        assert state.status is JobStatus.CREATING_TORRENT
        assert state.error is None

    def test_an_earlier_attempt_does_not_speak_for_a_later_one(self):
        story = running().lost().launched().recording()
        story.attempt = 1
        story.failed()
        state = state_of(story)
        assert state.status is JobStatus.RECORDING
        assert state.attempt == 2

    def test_an_upload_of_an_earlier_attempt_counts(self):
        story = running().lost().launched().recording()
        story.attempt = 1
        story.uploaded()
        assert state_of(story).recording is not None

    def test_a_stop_after_the_end_moves_nothing_back(self):
        assert state_of(running().failed().stop_asked()).status is JobStatus.FAILED

    def test_a_launch_that_was_noted_late_comes_before_what_its_run_said(self):
        story = Story().requested().accepted().launched()
        launch = story.events.pop()
        story.recording().ended().uploaded()
        story.events.append(launch.model_copy(update={"time": story.now + timedelta(hours=1)}))
        assert state_of(story).status is JobStatus.CREATING_TORRENT


class TestContent:
    def test_is_what_the_events_said(self):
        state = state_of(WHOLE)
        assert (state.title, state.site) == ("Concert", "generic")
        assert state.attempt == 2
        assert state.requested_at == WHOLE.events[0].time
        assert state.started_at is not None
        assert state.updated_at == WHOLE.events[-1].time
        assert state.completed_at == WHOLE.events[-1].time
        assert state.recording is not None
        assert state.recording.size == 30_000
        assert state.torrent is not None
        assert (state.torrent.state, state.torrent.engine) == ("seeding", "libtorrent")
        assert state.progress is not None
        assert state.progress.attempt == 2
        assert state.position == len(WHOLE.events)

    def test_collects_gaps_while_recording(self):
        assert [gap.seconds for gap in state_of(running().gap().gap()).gaps] == [4, 4]

    def test_tells_every_milestone_in_the_timeline_but_no_heartbeat(self):
        state = state_of(WHOLE)
        told = [event for event in WHOLE.events if event.type not in PROGRESS_TYPES]
        assert [line.type for line in state.timeline] == [event.type for event in told]
        assert all(line.what for line in state.timeline)
        assert state.timeline[0].position == 1

    def test_knows_how_the_seeding_goes(self):
        story = Story.whole()
        for n in (1, 2):
            story.tell(s.SeedingProgress(info_hash=INFO_HASH, uploaded=n, ratio=n / 2, peers=n))
        story.tell(s.SeedingStopped(info_hash=INFO_HASH, why="ratio"))
        state = state_of(story)
        assert state.torrent is not None
        assert (state.torrent.state, state.torrent.uploaded, state.torrent.peers) == (
            "stopped",
            2,
            2,
        )
        assert state.status is JobStatus.COMPLETED

    def test_remembers_that_the_recording_was_deleted(self):
        story = Story.whole()
        story.tell(p.RecordingDeleted(key=story.key, reason="retention"))
        state = state_of(story)
        assert state.recording is not None
        assert state.recording.deleted_at == story.now
        assert state.status is JobStatus.COMPLETED

    def test_makes_a_job_of_a_torrent_that_nobody_requested(self):
        story = Story("object-1")
        story.tell(story.torrent_fact())
        state = state_of(story)
        assert (state.status, state.key) == (JobStatus.SEEDING, story.key)
        assert state.filename

    def test_has_words_for_every_event_type(self):
        told = {fact.TYPE for fact in _WORDS} | PROGRESS_TYPES
        assert told == set(current_types())

    def test_passes_over_a_type_of_a_newer_writer(self):
        story = running()
        unknown = story.heartbeat().model_dump(mode="json") | {
            "type": "chronicle.recorder.Sneezed.v1",
            "data": {"times": 3},
        }
        event = type(story.events[0]).model_validate(unknown)
        state = fold(state_of(story), event, position=99)
        assert state.status is JobStatus.RECORDING
        assert state.timeline[-1].what == "chronicle.recorder.Sneezed.v1"


def stories():
    """Histories of every kind, also those that break off or are told with a wrong clock."""

    @st.composite
    def story(draw):
        told = Story.whole(heartbeats=draw(st.integers(0, 3)))
        for ending in draw(st.lists(st.sampled_from("sfhr"), max_size=4)):
            if ending == "s":
                told.stop_asked()
            elif ending == "f":
                told.launched().failed()
            elif ending == "h":
                told.heartbeat()
            else:
                told.tell(p.RetryRequested())
        events = told.events[: draw(st.integers(1, len(told.events)))]
        # The clocks of the publishers disagree by up to a minute.
        skew = {
            stream: timedelta(seconds=draw(st.integers(-60, 60)))
            for stream in sorted({event.stream for event in events})
        }
        return [
            event.model_copy(update={"time": event.time + skew[event.stream]}) for event in events
        ]

    return story()


class TestHistory:
    @settings(max_examples=150, deadline=None)
    @given(events=stories(), data=st.data())
    def test_folds_to_the_same_however_it_arrived(self, events, data):
        entries = [Entry(event, n) for n, event in enumerate(events, 1)]
        again = data.draw(st.lists(st.sampled_from(entries), max_size=8))
        arrived = data.draw(st.permutations([*entries, *again]))
        assert fold_history(arrived) == fold_history(entries)

    @settings(max_examples=60, deadline=None)
    @given(skews=st.lists(st.integers(-3600, 3600), min_size=6, max_size=6))
    def test_ends_the_same_whatever_the_clocks_say(self, skews):
        streams = sorted({event.stream for event in WHOLE.events})
        skew = dict(zip(streams, skews, strict=False))
        state = fold_history(
            Entry(
                event.model_copy(
                    update={"time": event.time + timedelta(seconds=skew[event.stream])}
                )
            )
            for event in WHOLE.events
        )
        assert state is not None
        assert (state.status, state.attempt) == (JobStatus.COMPLETED, 2)
        assert state.recording == state_of(WHOLE).recording

    def test_of_nothing_is_nothing(self):
        assert fold_history([]) is None

    def test_survives_a_circle_of_causes(self):
        story = Story().requested().accepted()
        first, second = story.events
        circle = [
            first.model_copy(update={"causationid": str(second.id)}),
            second.model_copy(update={"causationid": str(first.id)}),
        ]
        state = fold_history(Entry(event) for event in circle)
        assert state is not None
        assert state.title == "Concert"
        assert state.requested_at == NOON + timedelta(seconds=1)


class TestWaiting:
    @pytest.fixture
    def story(self):
        story = Story().requested().accepted()
        story.tell(d.JobDeferred(reason="capacity", place=4, detail="The disk is short."))
        return story

    def test_says_why_and_where_in_the_line(self, story):
        state = state_of(story)
        assert state.status is JobStatus.SCHEDULED
        assert state.waiting is not None
        assert (state.waiting.reason, state.waiting.place) == ("capacity", 4)
        assert state.timeline[-1].detail == "place 4 in line; The disk is short."

    def test_is_over_with_the_launch(self, story):
        assert state_of(story.launched()).waiting is None
