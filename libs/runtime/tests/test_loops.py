from __future__ import annotations

import threading

import pytest
from chronicle_runtime import start_loop


class TestLoop:
    def test_goes_on_until_it_is_told_to_stop(self):
        stop, began = threading.Event(), threading.Event()

        def run(until: threading.Event) -> None:
            began.set()
            until.wait(60)

        thread = start_loop("counting", run, stop)
        assert began.wait(60)
        assert thread.name == "counting"
        stop.set()
        thread.join(60)
        assert not thread.is_alive()

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_that_ends_by_an_error_stops_the_others(self):
        stop = threading.Event()

        def fail(_: threading.Event) -> None:
            raise OSError("the disk is gone")

        def wait(until: threading.Event) -> None:
            until.wait(60)

        other = start_loop("other", wait, stop)
        start_loop("failing", fail, stop).join(60)
        other.join(60)
        assert stop.is_set()
