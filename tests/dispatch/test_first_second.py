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
