"""supervisord: its configuration rendered from the process list, and how we speak with it.

It restarts whatever dies, within a second; we decide the order of start and stop ourselves
over its unix socket. No secret is in the configuration: processes inherit the environment.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from chronicle_local.errors import NotRunning, ProcessFailed
from chronicle_local.processes import Process

LONGEST_SOCKET_PATH = 100  # sockaddr_un has 108 bytes; supervisord appends its pid on the way
LOG_BYTES = 10 * 1024 * 1024
LOG_BACKUPS = 3
ENDED = frozenset({"STOPPED", "EXITED", "FATAL"})
START_RETRIES = 1000  # an endpoint that is away for long must not end a process for good


class Supervisor:
    """One supervisord with its files in `home`: run/ (configuration, socket, pid) and logs/."""

    def __init__(self, home: Path) -> None:
        self.logs = home / "logs"
        self._run = home / "run"
        self._socket = self._run / "supervisor.sock"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begins: dict[str, int] = {}
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise ProcessFailed(
                f"the path {self._socket} is too long for a unix socket "
                f"({LONGEST_SOCKET_PATH} characters); set CHRONICLE_HOME to a shorter one"
            )

    def log_of(self, name: str) -> Path:
        """Where a process's output goes."""
        return self.logs / f"{name}.log"

    def start(
        self, listed: Sequence[Process], *, environment: Mapping[str, str], directory: Path
    ) -> None:
        """Start supervisord, and none of the processes yet; return once it answers.

        It gets a process group of its own: Ctrl-C reaches us alone, and we stop things in order.
        """
        for folder in (self._run, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self._run / "supervisord.conf"
        configuration.write_text(self.configuration(listed, directory=directory))
        self._socket.unlink(missing_ok=True)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        deadline = time.monotonic() + 15
        while not self.answers():
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise ProcessFailed(
                    f"supervisord did not start; see {self.logs / 'supervisord.log'}"
                )
            time.sleep(0.05)

    def configuration(self, listed: Sequence[Process], *, directory: Path) -> str:
        """Return supervisord's configuration for the processes."""
        head = f"""\
[unix_http_server]
file={_literal(self._socket)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon=true
silent=true
directory={_literal(directory)}
logfile={_literal(self.logs / "supervisord.log")}
logfile_maxbytes={LOG_BYTES}
logfile_backups={LOG_BACKUPS}
pidfile={_literal(self._run / "supervisord.pid")}
"""
        return head + "".join(
            f"""
[program:{process.name}]
command={_literal(shlex.join(process.command))}
autostart=false
autorestart=true
startsecs=1
startretries={START_RETRIES}
stopsignal=TERM
stopwaitsecs={process.stop_wait}
killasgroup=true
redirect_stderr=true
stdout_logfile={_literal(self.log_of(process.name))}
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_BACKUPS}
environment=CHRONICLE_STACK_PROCESS="{process.name}"
"""
            for process in listed
        )

    def answers(self) -> bool:
        """Return whether a supervisord listens at our socket."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except NotRunning:
            return False

    def said(self, name: str) -> str:
        """Return what a process has written since we started it."""
        log = self.log_of(name)
        if not log.exists():
            return ""
        begin = self._log_begins.get(name, 0)
        with log.open("rb") as file:
            file.seek(begin if begin <= log.stat().st_size else 0)  # smaller: it was rotated
            return file.read().decode(errors="replace").strip()

    def start_process(self, name: str) -> None:
        """Start one process; do not wait for it."""
        log = self.log_of(name)
        self._log_begins[name] = log.stat().st_size if log.exists() else 0
        self._call("startProcess", name, False)

    def stop_processes(self, names: Sequence[str], *, timeout: float) -> None:
        """Stop processes side by side with SIGTERM, after their `stop_wait` with SIGKILL.

        Returns once all have ended, or after `timeout` seconds; one that does not run is left
        alone.
        """
        for name in names:
            if self.state(name)["statename"] not in ENDED:
                with contextlib.suppress(xmlrpc.client.Fault):  # it has ended by itself meanwhile
                    self._call("stopProcess", name, False)
        deadline = time.monotonic() + timeout
        while any(self.state(name)["statename"] not in ENDED for name in names):
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)

    def state(self, name: str) -> Mapping[str, Any]:
        """Return what supervisord knows of a process: statename, pid, exitstatus, start, ..."""
        return cast("Mapping[str, Any]", self._call("getProcessInfo", name))

    def states(self) -> list[Mapping[str, Any]]:
        """Return what supervisord knows of all processes."""
        return cast("list[Mapping[str, Any]]", self._call("getAllProcessInfo"))

    @property
    def died(self) -> bool:
        """True where the supervisord that we started is gone."""
        return self._child is not None and self._child.poll() is not None

    def shutdown(self, *, timeout: float = 30.0) -> None:
        """End supervisord, and with it whatever still runs under it."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _call(self, method: str, *arguments: object) -> Any:
        # A transport of its own for each call: one connection is not for several threads.
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        except OSError as error:
            raise NotRunning(f"no stack answers at {self._socket}: {error}") from error
        finally:
            transport.close()


def _literal(value: str | os.PathLike[str]) -> str:
    return str(value).replace("%", "%%")  # supervisord expands %(...)s
