"""What follows from what was seen."""

from datetime import UTC, datetime, timedelta

import pytest
from chronicle_contracts.naming import recorder_stream
from chronicle_contracts.recorder import (
    CaptureInterrupted,
    CaptureResumed,
    Checksum,
    Completeness,
    Heartbeat,
    MediaInfo,
    RecordingEnded,
    RecordingFailed,
    RecordingStarted,
    Uploaded,
)
from recorder.domain import gaps
from recorder.domain.delivery import Delivery, File
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import SILENCE
from recorder.domain.progress import Progress
from recorder.domain.run import Run, RunIsOver
from recorder.domain.stream import Stream
from recorder.domain.watch import Resumption, Stall, Watch

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIVE = Stream(protocol="hls", live_status="live", media_url="http://h/live.m3u8", format_id="720")
DELIVERY = Delivery(
    key="recordings/a.mkv",
    size=9,
    etag="e",
    checksum=Checksum(algorithm="sha256", value="00"),
    duration=4.0,
    media=MediaInfo(),
)
WHOLE = Completeness(score=1.0, missing_seconds=0.0, verified=True)


def a_run():
    return Run.at_stream(recorder_stream("gala.2"), "gala", NOON)


def said(run):
    return [recorded.event for recorded in run.pending_events]


def kinds(run):
    return [type(event.data) for event in said(run)]


class TestRun:
    def test_knows_its_name_attempt_and_source_from_its_stream(self):
        run = a_run()
        assert (run.run_id, run.attempt, run.source) == ("gala.2", 2, "/recorder/gala.2")

    def test_says_once_that_it_started(self):
        run = a_run()
        run.start("k", LIVE, Progress(wall_seconds=2.5), at=NOON)
        run.start("k", LIVE, Progress(wall_seconds=9), at=NOON)
        assert kinds(run) == [RecordingStarted]
        started = said(run)[0].data
        assert (started.start_gap, started.format, started.protocol) == (2.5, "720", "hls")

    def test_measures_an_interruption(self):
        run = a_run()
        run.start("k", LIVE, Progress(), at=NOON)
        run.interrupt(SILENCE, Progress(media_seconds=4), at=NOON)
        run.interrupt(SILENCE, Progress(media_seconds=4), at=NOON + timedelta(seconds=1))
        run.resume(9.0, Progress(media_seconds=5), at=NOON + timedelta(seconds=9))
        run.resume(10.0, Progress(media_seconds=6), at=NOON + timedelta(seconds=10))
        assert kinds(run) == [RecordingStarted, CaptureInterrupted, CaptureResumed]
        assert said(run)[-1].data.after == 9

    def test_is_not_interrupted_before_it_started(self):
        run = a_run()
        run.interrupt(SILENCE, Progress(), at=NOON)
        assert said(run) == []

    def test_seals_its_stream_with_the_upload(self):
        run = a_run()
        run.end("stopped", None, 4.0, NOON)
        run.deliver(DELIVERY, (), WHOLE, at=NOON)
        assert kinds(run) == [RecordingEnded, Uploaded]
        assert [event.sealed for event in said(run)] == [None, True]
        assert run.is_over

    def test_seals_its_stream_when_it_is_discarded(self):
        run = a_run()
        run.end("discarded", None, 4.0, NOON)
        assert said(run)[-1].sealed

    def test_says_nothing_after_its_last_word(self):
        run = a_run()
        run.fail("no_stream", "There is none.", "log", at=NOON)
        with pytest.raises(RunIsOver):
            run.beat("UPLOADING", Progress(), at=NOON)

    def test_keeps_the_last_bytes_of_a_long_log(self):
        run = a_run()
        run.fail("x", "y", "ä" * 5000 + "end", at=NOON)
        failed = said(run)[-1].data
        assert isinstance(failed, RecordingFailed)
        assert len(failed.log_tail.encode()) <= 2048
        assert failed.log_tail.endswith("end")

    def test_is_the_same_when_it_is_read_again(self):
        run = a_run()
        run.start("k", LIVE, Progress(), at=NOON)
        run.beat("RECORDING", Progress(media_seconds=3), at=NOON)
        run.lose(gaps.of_loss(Loss("segment unavailable", 2), 3, NOON), at=NOON)
        again = a_run()
        for recorded in run.collect_events():
            recorded.mutate(again)
        assert (again.started, again.media_seconds, again.gaps) == (True, 3, run.gaps)
        assert again.version == run.version


class TestProgress:
    def test_has_a_bitrate_once_there_is_enough_media(self):
        assert Progress(media_seconds=0.5, bytes_recorded=100).bitrate is None
        assert Progress(media_seconds=4, bytes_recorded=1000).bitrate == 2000

    def test_says_everything_in_a_heartbeat(self):
        run = a_run()
        progress = Progress(1, 2.0, 300, 200, 10_000, 1, MediaInfo())
        run.beat("RECORDING", progress, at=NOON)
        beat = said(run)[0].data
        assert isinstance(beat, Heartbeat)
        assert (beat.bytes_recorded, beat.bytes_durable, beat.free_disk) == (300, 200, 10_000)
        assert (beat.media_seconds, beat.bitrate, beat.restarts) == (2.0, 1200.0, 1)


class TestWatch:
    def test_sees_that_media_stands_still_and_moves_again(self):
        watch = Watch(0)
        assert watch.see(1, 1.0) is None
        assert watch.see(6.9, 1.0) is None
        assert watch.see(7.5, 1.0) == Stall(6.5)
        assert watch.see(9, 1.0) is None, "it was said"
        assert watch.see(11, 3.0) == Resumption(10, 2.0)
        assert watch.see(12, 4.0) is None

    def test_has_patience_with_long_segments(self):
        watch = Watch(0)
        watch.see(1, 1.0)
        assert watch.see(12, 1.0, patience=21) is None
        assert watch.see(22.5, 1.0, patience=21) == Stall(21.5)


class TestGaps:
    def test_what_came_in_one_go_afterwards_was_not_lost(self):
        def gap(wall, gained):
            return gaps.between(
                "x", wall_seconds=wall, media_gained=gained, media_seconds=50, at=NOON
            )

        assert gap(10, 9.5) is None
        found = gap(10, 4)
        assert found is not None
        assert (found.seconds, found.at_media_seconds) == (6, 46)

    def test_is_in_torn_files_what_they_were_given_and_do_not_hold(self):
        files = (File("attempt-1", 8.0, 8.0, is_final=False), File("attempt-2", 20.0, 12.0, True))
        found, is_all = gaps.torn(files, {"attempt-1": 8.9, "attempt-2": 12.5}, NOON)
        assert [(gap.cause, gap.seconds, gap.at_media_seconds) for gap in found] == [
            ("not saved", 0.9, 8.0)
        ], "what a final file was given is in it"
        assert is_all

    def test_is_none_where_the_writer_counts_otherwise(self):
        files = (File("attempt-1", 8.0, 8.0, is_final=False),)
        assert gaps.torn(files, {"attempt-1": 8.05}, NOON) == ([], True)
        assert gaps.torn(files, {"attempt-1": 7.9}, NOON) == ([], True)

    def test_is_all_of_a_file_that_never_came_to_be(self):
        files = (File("attempt-1", 8.0, 8.0, is_final=True), File("attempt-2", 9.0, 1.0, True))
        given = {"attempt-1": 8.0, "attempt-1-2": 2.0, "attempt-2": 1.0}
        [gap], _ = gaps.torn(files, given, NOON)
        assert (gap.seconds, gap.at_media_seconds) == (2.0, 8.0)

    def test_may_be_more_where_a_torn_file_has_no_accounts(self):
        assert gaps.torn((File("attempt-1", 8.0, 8.0, is_final=False),), {}, NOON) == ([], False)
        assert gaps.torn((File("attempt-1", 8.0, 8.0, is_final=True),), {}, NOON) == ([], True)

    def test_is_in_what_a_lost_machine_had_stored_by_its_turn(self):
        files = (File("", 8.0, 8.0, is_final=False), File("attempt-2", 20.0, 12.0, True))
        [gap], is_all = gaps.torn(files, {"attempt-1": 8.9, "attempt-2": 12.0}, NOON)
        assert (gap.seconds, gap.at_media_seconds, is_all) == (0.9, 8.0, True)
        # Of two files one is gone: nobody knows which.
        assert gaps.torn(files, {"attempt-1": 8.9, "attempt-1-2": 1.0}, NOON) == ([], False)
