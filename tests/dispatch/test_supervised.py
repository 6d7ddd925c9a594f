"""Recorders that hang or die: nothing of them is left, and what they saved is delivered."""

from __future__ import annotations

import os
import signal

import pytest
from dispatcher.adapters import procfs


def recorder_of(dispatching, attempt=1):
    """The recorder itself, without what it started."""
    (found,) = [
        one
        for one in dispatching.recorders()
        if procfs.environment_of(one.pid).get("CHRONICLE_ATTEMPT") == str(attempt)
        and b"recorder" in procfs.command_of(one.pid)
    ]
    return found


@pytest.fixture
def recording(dispatching, origin):
    origin.encoder.start()
    dispatching.start(CHRONICLE_HEARTBEAT_TIMEOUT="15")
    dispatching.record(origin.url)
    dispatching.until_recorded(2)
    return dispatching


class TestHungRecorder:
    def test_is_ended_with_all_that_it_started(self, recording):
        before = recording.recorders()
        assert len(before) >= 2
        os.kill(recorder_of(recording).pid, signal.SIGSTOP)
        lost = recording.until_heard("RecorderLost")
        assert lost.reason == "silent"
        recording.until_recorded(4, attempt=2)
        alive = {one.reference for one in recording.recorders()}
        assert alive.isdisjoint({one.reference for one in before})
        recording.stop()
        recording.until_heard("Uploaded")
        recording.until(lambda: not recording.recorders(), "the end of all of them")


class TestDeadRecorder:
    def test_leaves_no_child_behind(self, recording):
        before = recording.recorders()
        children = [one for one in before if one != recorder_of(recording)]
        # Stopped, so that it does not end by itself when its pipe closes.
        for child in children:
            os.kill(child.pid, signal.SIGSTOP)
        os.kill(recorder_of(recording).pid, signal.SIGKILL)
        recording.until_heard("RecorderLost")
        gone = {one.reference for one in children}
        recording.until(
            lambda: gone.isdisjoint({one.reference for one in recording.recorders()}),
            "the end of its children",
        )
        recording.until_heard("RecorderLaunched", times=2)
        recording.stop()
        recording.until_heard("Uploaded")
        recording.until(lambda: not recording.recorders(), "the end of all of them")
