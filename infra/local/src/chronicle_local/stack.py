"""The one-machine stack: set up, started in order, watched, stopped in order."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chronicle_local import leftovers, ports, proc
from chronicle_local.credentials import ensure_secrets, write_client_file
from chronicle_local.environment import stack_environment
from chronicle_local.errors import AlreadyRunning, StackError
from chronicle_local.preparation import prepare
from chronicle_local.processes import Process, processes
from chronicle_local.readiness import wait_ready
from chronicle_local.settings import StackSettings
from chronicle_local.steps import Steps
from chronicle_local.supervision import Supervisor
from chronicle_local.tracker import Tracker

OUTLIVE = ("aws", "tracker")  # the others speak to them to their end
REPOSITORY = Path(__file__).resolve().parents[4]


class Stack:
    """Everything that runs on this machine for one CHRONICLE_HOME.

    `start` and `stop` are for the process that owns the stack. `outside` is the environment from
    which it passes our settings on; `hurry` says whether whoever waits for recorders at the end
    has lost patience.
    """

    def __init__(
        self,
        settings: StackSettings,
        steps: Steps,
        *,
        outside: Mapping[str, str] = os.environ,
        hurry: Callable[[], bool] = lambda: False,
    ) -> None:
        self.settings = settings
        self.home = settings.folder
        self.root = REPOSITORY
        self.tracker = Tracker.find(self.home / "tracker", settings.tracker_port)
        self.processes: Sequence[Process] = processes(
            settings, root=self.root, tracker=self.tracker
        )
        self.supervisor = Supervisor(self.home)
        self.secrets: Mapping[str, str] = {}
        self.environment: Mapping[str, str] = {}
        self._steps = steps
        self._outside = outside
        self._hurry = hurry
        self._lock: int | None = None

    def start(self) -> None:
        """Set up what is missing, start every process and return once all are ready.

        Raises a `StackError` with everything stopped again.
        """
        self.take_over()
        try:
            self._clear_leftovers()
            self._require_ports()
            self._steps.heading("Setting up")
            with self._steps.step("secrets") as step:
                self.secrets = ensure_secrets(self.home)
                step.note(str(self.home / "secrets.env"))
            self.environment = stack_environment(
                self.settings,
                secrets=self.secrets,
                tracker=self.tracker,
                root=self.root,
                outside=self._outside,
            )
            prepare(
                self.root,
                environment=self.environment,
                log=self.supervisor.logs / "setup.log",
                steps=self._steps,
            )
            write_client_file(
                self.home,
                url=self.settings.portal_url,
                token=self.secrets["CHRONICLE_API_TOKEN"],
            )
            self._steps.heading("Starting")
            self.supervisor.start(self.processes, environment=self.environment, directory=self.root)
            self._start_processes()
        except BaseException:
            self.stop()
            raise

    def _start_processes(self) -> None:
        # The endpoint first and alone: everybody else begins by looking for its queue.
        first, *others = self.processes
        for group in ([first], others):
            for process in group:
                self.supervisor.start_process(process.name)
            for process in group:
                with self._steps.step(process.title) as step:
                    wait_ready(process, self.supervisor)
                    step.note(process.health or f"pid {self.supervisor.state(process.name)['pid']}")

    def take_over(self) -> None:
        """Own what a killed owner left behind, so that it can be stopped in order."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()

    def stop(self) -> None:
        """Stop everything in order and give the lock back; safe to call in any state.

        1. Recorders are asked to end and get `recorder_grace` seconds to deliver and publish.
        2. The dispatcher, so that nothing new is launched; what it launched meanwhile ends too.
        3. The other processes; last the endpoint, which outlives all who publish, and the
           tracker, to which the seeder says good-bye.
        4. supervisord, and whatever should still carry our mark.
        """
        if not self.holds:
            return
        try:
            # Also where supervisord is gone: what it ran may well go on without it.
            self._stop_recorders()
            if self.supervisor.answers():
                names = [process.name for process in self.processes]
                self._stop_processes("dispatcher", ["dispatcher"])
                self._stop_recorders()
                self._stop_processes("seeder and portal", [n for n in names if n not in OUTLIVE])
                self._stop_processes("AWS endpoint", [n for n in names if n in OUTLIVE])
        finally:
            self.supervisor.shutdown()
            leftovers.clear(self.home)
            self._release_lock()

    @property
    def holds(self) -> bool:
        """True while this object owns the home: from the begin of `start` to the end of `stop`."""
        return self._lock is not None

    def check(self) -> None:
        """Raise `StackError` where supervisord itself has died; it heals everything else."""
        if self.supervisor.died:
            raise StackError(
                f"supervisord has died; see {self.supervisor.logs / 'supervisord.log'} and start "
                "the stack again: it goes on with its data"
            )

    def _stop_processes(self, title: str, names: Sequence[str]) -> None:
        longest = max(process.stop_wait for process in self.processes if process.name in names)
        with self._steps.step(f"{title} stopped"):
            self.supervisor.stop_processes(names, timeout=longest + 5)

    def _stop_recorders(self) -> None:
        running = leftovers.recorders(self.home)
        if not running:
            return
        for recorder in running:
            recorder.send(signal.SIGTERM)
        jobs = ", ".join(sorted({recorder.environment["JOB_ID"] for recorder in running}))
        with self._steps.step(f"recordings are finished and delivered: {jobs}") as step:
            deadline = time.monotonic() + self.settings.recorder_grace
            while running and time.monotonic() < deadline and not self._hurry():
                running = proc.wait_gone(running, timeout=0.2)
            if running:
                step.note("not all: the next start takes them up where they stand")

    def _clear_leftovers(self) -> None:
        if count := leftovers.clear(self.home):
            self._steps.say(f"stopped {count} processes that a killed stack had left behind")

    def _require_ports(self) -> None:
        wanted = self.settings
        ports.require_free(
            wanted.aws_port, setting="CHRONICLE_AWS_PORT", purpose="the AWS endpoint"
        )
        ports.require_free(
            wanted.portal_port, setting="CHRONICLE_PORTAL_PORT", purpose="the portal"
        )
        if self.tracker is not None:
            ports.require_free(
                wanted.tracker_port,
                setting="CHRONICLE_TRACKER_PORT",
                purpose="the tracker",
                udp=True,
            )

    def _take_lock(self) -> None:
        descriptor = os.open(lock_path(self.home), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(
                f"a stack already runs in {self.home} (process {owner(self.home)}); end it with "
                "Ctrl-C there or with `make down`, or set another CHRONICLE_HOME and ports"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._lock = descriptor

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None


def lock_path(home: Path) -> Path:
    """The file that the owner of a running stack holds locked, with its process id inside."""
    return home / "stack.lock"


def owner(home: Path) -> int | None:
    """Return the process id of whoever runs this home's stack, or None."""
    try:
        descriptor = os.open(lock_path(home), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).decode().strip()
        return int(text) if text else None
    else:
        return None
    finally:
        os.close(descriptor)
