"""A stream that has not begun yet: its first packet is in the recording."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.origin import PLAIN
from tests.faults.source import packets


class NotYet:
    """Answers that there is nothing, as long as it is asked to."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, request):
        self.asked += 1
        request.send(404, PLAIN, b"")
        return True


def first_pictures(recording, count=50):
    pictures, _ = packets(recording)
    return pictures[:count]


class TestFirstSecond:
    def test_of_a_stream_that_begins_between_two_looks_is_caught(
        self, dispatching, origin, numbered
    ):
        nothing = NotYet()
        origin.meddlers.append(nothing)
        dispatching.start()
        dispatching.record(origin.url, start_at=datetime.now(UTC) - timedelta(seconds=1))
        deferred = dispatching.until_heard("JobDeferred")
        assert deferred.reason == "scheduled"
        dispatching.until(lambda: nothing.asked >= 4, "a second look")
        origin.meddlers.clear()
        origin.encoder.start()
        dispatching.until_recorded(6)
        dispatching.stop()
        dispatching.until_heard("Uploaded")
        assert dispatching.hear().count("JobDeferred") == 1
        assert first_pictures(dispatching.recording) == list(numbered["first"].pictures[:50])

    def test_of_ones_own_time_finds_a_recorder_at_work(self, dispatching, origin):
        origin.encoder.start()
        dispatching.start()
        begins = datetime.now(UTC) + timedelta(seconds=14)
        dispatching.record(origin.url, start_at=begins)
        dispatching.until_heard("RecordingStarted")
        started = next(
            event for event in dispatching.heard if type(event.data).__name__ == "RecordingStarted"
        )
        assert started.time < begins
        dispatching.stop()
        dispatching.until_heard("Uploaded")
