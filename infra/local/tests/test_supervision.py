import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chronicle_local import leftovers
from chronicle_local.errors import ProcessFailed
from chronicle_local.processes import Process
from chronicle_local.readiness import wait_ready
from chronicle_local.supervision import Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chronicle-") as folder:  # short: it holds a socket
        yield Path(folder)


@pytest.fixture
def supervise(home: Path) -> Iterator[Callable[..., Supervisor]]:
    def start(*listed: Process, **environment: str) -> Supervisor:
        supervisor = Supervisor(home)
        supervisor.start(
            listed,
            environment={"PATH": os.environ["PATH"], leftovers.MARK: str(home), **environment},
            directory=home,
        )
        for process in listed:
            supervisor.start_process(process.name)
        return supervisor

    yield start
    leftovers.clear(home)


def until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class TestSupervisor:
    def test_starts_a_killed_process_again(self, supervise):
        sleeper = Process("sleeper", "sleeper", SLEEPER)
        supervisor = supervise(sleeper)
        wait_ready(sleeper, supervisor)
        first = supervisor.state("sleeper")["pid"]
        os.kill(first, signal.SIGKILL)
        until(
            lambda: supervisor.state("sleeper")["pid"] not in {0, first},
            "the killed process was not started again",
        )

    def test_stops_its_processes_and_itself(self, supervise, home):
        both = Process("one", "one", SLEEPER), Process("two", "two", SLEEPER)
        supervisor = supervise(*both)
        for process in both:
            # A signal between fork and exec is supervisord's own, and does nothing.
            wait_ready(process, supervisor)
        supervisor.stop_processes(["one", "two"], timeout=10)
        assert {state["statename"] for state in supervisor.states()} == {"STOPPED"}
        supervisor.shutdown()
        assert leftovers.find(home) == []

    def test_writes_no_secret_into_its_configuration(self, supervise, home):
        supervise(Process("one", "one", SLEEPER), CHRONICLE_API_TOKEN="do-not-write-me")
        assert b"do-not-write-me" not in (home / "run" / "supervisord.conf").read_bytes()

    def test_passes_its_environment_on(self, supervise, home):
        script = "import os; print('token', os.environ['CHRONICLE_API_TOKEN'], flush=True); input()"
        supervisor = supervise(
            Process("one", "one", [sys.executable, "-c", script]), CHRONICLE_API_TOKEN="100%s"
        )
        until(
            lambda: (
                supervisor.log_of("one").exists()
                and b"token 100%s" in supervisor.log_of("one").read_bytes()
            ),
            "the process did not see the variable",
        )

    def test_refuses_a_home_whose_socket_would_have_too_long_a_path(self, home):
        with pytest.raises(ProcessFailed, match="CHRONICLE_HOME"):
            Supervisor(home / ("x" * 100))


class TestReadiness:
    def test_says_at_once_that_a_process_refused_its_settings(self, supervise):
        script = "import sys; print('bad setting: PORT: is missing', flush=True); sys.exit(78)"
        broken = Process("broken", "broken thing", [sys.executable, "-c", script])
        supervisor = supervise(broken)
        with pytest.raises(ProcessFailed, match=r"(?s)broken thing refused.*bad setting: PORT"):
            wait_ready(broken, supervisor, timeout=60)

    def test_says_what_a_process_said_that_does_not_become_ready(self, supervise):
        mute = Process("mute", "mute thing", SLEEPER, health="http://127.0.0.1:9/")
        supervisor = supervise(mute)
        with pytest.raises(ProcessFailed, match="mute thing was not ready"):
            wait_ready(mute, supervisor, timeout=0.5)


class TestLeftovers:
    def test_are_found_and_stopped_after_supervisord_was_killed(self, supervise, home):
        supervisor = supervise(Process("one", "one", SLEEPER), Process("two", "two", SLEEPER))
        until(lambda: len(leftovers.find(home)) == 3, "not all processes were seen")
        supervisord = leftovers.find(home)[0]
        assert "supervisord" in supervisord.command
        supervisord.send(signal.SIGKILL)
        until(lambda: supervisor.died, "supervisord lived on")
        assert len(leftovers.find(home)) == 2, "killed with it, which this test does not expect"
        assert leftovers.clear(home) == 2
        assert leftovers.find(home) == []

    def test_leave_recorders_alone(self, supervise, home):
        recorder = Process("recorder", "recorder", ["/usr/bin/env", "JOB_ID=job-1", *SLEEPER])
        supervise(recorder)
        until(lambda: leftovers.recorders(home), "the recorder was not seen")
        (found,) = leftovers.recorders(home)
        leftovers.find(home)[0].send(signal.SIGKILL)  # supervisord, which would stop it
        leftovers.clear(home)
        assert found.runs
        found.send(signal.SIGKILL)
