"""Recorders forked by a server, which may die at any moment."""

import os
import signal
import sys

import pytest
from dispatcher.adapters import procfs, starting
from dispatcher.adapters.starting import ForkStarter, handed_over

from services.dispatcher.tests.cast import until


@pytest.fixture
def idle():
    """Seconds for which a server waits for the next order."""
    return 60.0


@pytest.fixture
def starter(idle):
    command = [sys.executable, "-m", "recorder.forkserver", str(idle)]
    starter = ForkStarter(command, {"PATH": os.environ["PATH"]})
    yield starter
    starter.close()


@pytest.fixture
def start(starter, tmp_path):
    """Starts a recorder, which ends at once: it is told next to nothing."""
    log = tmp_path / "log"

    def start():
        given = handed_over(None)
        with log.open("wb") as output:
            reference = starter.start({"JOB_ID": "gala"}, given=given, output=output.fileno())
        os.close(given)
        until(lambda: "bad setting: URL" in log.read_text(), "its word")
        return reference

    return start


class TestForkStarter:
    def test_starts_recorders_one_after_the_other(self, starter, start):
        starter.prepare()
        server = starter.server
        first, second = start(), start()
        assert first != second
        assert starter.server == server

    def test_starts_a_server_anew_that_has_died(self, starter, start):
        start()
        server = starter.server
        os.kill(server, signal.SIGKILL)
        until(lambda: not (one := procfs.stat_of(server)) or not one.runs, "its death")
        start()
        assert starter.server != server

    @pytest.mark.parametrize("idle", [0.1])
    @pytest.mark.parametrize("prepares", [False, True])
    def test_starts_a_server_anew_that_had_nothing_to_do(self, starter, start, prepares):
        starter.prepare()
        server = starter.server
        until(lambda: not (one := procfs.stat_of(server)) or not one.runs, "its end")
        starter.reap()
        assert procfs.stat_of(server) is None
        if prepares:
            starter.prepare()
            assert starter.server != server
        else:
            start()

    def test_ends_a_server_that_hangs(self, starter, start, monkeypatch):
        monkeypatch.setattr(starting, "REAPED_WITHIN", 0.1)
        start()
        server = starter.server
        assert starter._orders is not None
        starter._orders.settimeout(0.2)  # it is loaded, and has half a minute for that
        os.kill(server, signal.SIGSTOP)
        start()
        assert procfs.stat_of(server) is None
        assert starter.server != server

    def test_leaves_no_server_behind(self, starter, start):
        start()
        server = starter.server
        starter.close()
        assert procfs.stat_of(server) is None
