"""Recorders as processes of this machine, each in a session of its own, which outlive us."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from dispatcher.adapters import procfs
from dispatcher.adapters.fresh_looks import FreshLooks
from dispatcher.adapters.recorder_environment import recorder_environment
from dispatcher.adapters.run_file import (
    control_file,
    launching,
    log_file,
    read_json,
    run_file,
    write_json,
)
from dispatcher.adapters.starting import Starter, handed_over
from dispatcher.ports import Launch, LaunchError, StopMode

log = structlog.get_logger(__name__)

_REAP_TIMEOUT = 5.0
_KILL_ROUNDS = 3


class ProcessLauncher:
    """The port `Launcher`; a reference is `pid:starttime`, so a pid used again is not ours.

    A look that was just taken is handed to the recorder on its standard input.
    """

    name = "process"

    def __init__(
        self, starter: Starter, fresh: FreshLooks, *, work: Path, environment: Mapping[str, str]
    ) -> None:
        self._starter = starter
        self._fresh = fresh
        self._work = work.resolve()
        self._environment = dict(environment)

    def launch(self, launch: Launch) -> str:
        """Start a run and return its reference; of a run that was started before, the same."""
        work = self._work / launch.job_id
        try:
            work.mkdir(parents=True, exist_ok=True, mode=0o700)
            with launching(work):
                return self._launched_before(launch, work) or self._start(launch, work)
        except OSError as error:
            raise LaunchError(
                "launch_failed",
                f"The recorder could not be started: {error}.",
            ) from error

    def control(
        self, job_id: str, reference: str, *, stop: StopMode | None, max_duration: float | None
    ) -> None:
        """Tell a recorder what is wanted now: by a file that it polls, and a nudge to stop."""
        path = control_file(self._work / job_id)
        wanted = {"stop": stop, "max_duration": max_duration}
        if not path.parent.is_dir() or read_json(path) == wanted:
            return
        write_json(path, wanted)
        process = procfs.find(reference)
        if stop is not None and process is not None and process.runs:
            _signal(process.pid, signal.SIGTERM)

    def is_alive(self, reference: str) -> bool:
        """Return whether the recorder's process still runs; a dead child of ours is reaped."""
        self._starter.reap()
        process = procfs.find(reference)
        return process is not None and process.runs

    def kill(self, job_id: str, reference: str) -> None:
        """End a recorder with all that was started for its job, in whatever session.

        Found are its family, by parents and session, and what its death has orphaned, by the
        work folder that the environment of each of them names.
        """
        pid = int(reference.partition(":")[0])
        is_ours = procfs.find(reference) is not None or procfs.stat_of(pid) is None
        work = str(self._work / job_id)
        # Again until nobody is left: one that is about to be ended may start another.
        for _ in range(_KILL_ROUNDS):
            # The number may belong to somebody else now, and then its family does, too.
            family = procfs.family_of(pid) if is_ours else []
            doomed = {one.pid for one in [*family, *procfs.working_in(work)] if one.runs}
            if not doomed:
                break
            for one in doomed:
                _signal(one, signal.SIGKILL)
            self._await_end(pid)

    def free_disk(self) -> int | None:
        """Return what is free where the work folders lie."""
        try:
            return shutil.disk_usage(next(one for one in _upwards(self._work) if one.exists())).free
        except OSError:
            return None

    def clean(self, job_id: str) -> None:
        """Remove the job's work folder, once nobody works in it any more."""
        work = self._work / job_id
        for one in procfs.working_in(str(work)):
            log.warning("stray_process_ended", job_id=job_id, pid=one.pid)
            _signal(one.pid, signal.SIGKILL)
        shutil.rmtree(work, ignore_errors=True)

    def _launched_before(self, launch: Launch, work: Path) -> str | None:
        known = read_json(run_file(work, launch.attempt))
        if known is None:
            return None
        if known.get("reference"):
            return str(known["reference"])
        # A launcher died after it wrote down what it was about to do. Did it still do it?
        # The oldest first: what it has started may lead a session of its own, and process ids wrap.
        for process in sorted(procfs.working_in(str(work)), key=lambda one: one.start_time):
            attempt = procfs.environment_of(process.pid).get("CHRONICLE_ATTEMPT")
            if process.session == process.pid and attempt == str(launch.attempt):
                write_json(run_file(work, launch.attempt), {"reference": process.reference})
                return process.reference
        return None

    def _start(self, launch: Launch, work: Path) -> str:
        note = run_file(work, launch.attempt)
        # 1. What is wanted by now is there before the recorder looks.
        write_json(control_file(work), {"stop": launch.stop, "max_duration": launch.max_duration})
        # 2. The intent, so that whoever comes after a crash here knows to look for a process.
        write_json(note, {"reference": None})
        look = self._fresh.take(launch.request)
        environment = recorder_environment(self._environment, launch, work, look=look is not None)
        given = handed_over(None if look is None else look.model_dump_json().encode())
        try:
            with log_file(work, launch.attempt).open("ab") as output:
                reference = self._starter.start(
                    environment,
                    given=given,
                    output=output.fileno(),
                )
        finally:
            os.close(given)
        write_json(note, {"reference": reference})
        log.info("process_started", job_id=launch.job_id, run_id=launch.run_id, process=reference)
        return reference

    def _await_end(self, pid: int) -> None:
        deadline = time.monotonic() + _REAP_TIMEOUT
        while (one := procfs.stat_of(pid)) and one.runs and time.monotonic() < deadline:
            time.sleep(0.01)
        self._starter.reap()


def _upwards(folder: Path) -> list[Path]:
    return [folder, *folder.parents]


def _signal(pid: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, which)
