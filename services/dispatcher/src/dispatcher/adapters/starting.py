"""How a recorder's process comes to be: by its command line, or as a fork of a loaded one."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from dispatcher.adapters import procfs

log = structlog.get_logger(__name__)

LOADED_WITHIN = 30.0  # seconds; a machine that starts takes several
REAPED_WITHIN = 5.0
LONGEST_ANSWER = 100
# What a fork shows of its environment, it writes over that of the server: this much room.
ROOM = 32 * 1024


class Starter(Protocol):
    """Starts processes, each as the leader of a session; they outlive us."""

    def prepare(self) -> None:
        """Get ready in the background: whoever comes first waits for less."""

    def start(self, environment: Mapping[str, str], *, given: int, output: int) -> str:
        """Return `pid:starttime` of a recorder; the descriptors are its standard streams.

        Raises `OSError`.
        """

    def reap(self) -> None:
        """Let go of those that have ended."""

    def close(self) -> None:
        """Start no more; those that run go on."""


class CommandStarter:
    """Runs a command line, from nothing."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Nothing can be done ahead."""

    def start(self, environment: Mapping[str, str], *, given: int, output: int) -> str:
        """Start the command."""
        child = subprocess.Popen(
            self._command,
            stdin=given,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        # As long as it is not reaped its entry stays, even if it has ended by now.
        process = procfs.stat_of(child.pid)
        assert process is not None
        with self._lock:
            self._children[child.pid] = child
        return process.reference

    def reap(self) -> None:
        """Ask after the children: one that is not asked after stays in the list of processes."""
        with self._lock:
            for pid, child in list(self._children.items()):
                code = child.poll()
                if code is not None:
                    del self._children[pid]
                    log.info("process_ended", pid=pid, code=code)

    def close(self) -> None:
        """Nothing is left open."""


class ForkStarter:
    """Lets a server fork a loaded recorder; a server that is gone is started anew.

    See `recorder.forkserver` for what is said on the socket. The server has nothing of our
    environment but `environment`, and ends with us, or when it has had nothing to do for a
    while; its forks do not.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    @property
    def server(self) -> int | None:
        """The process id of the server."""
        return None if self._server is None else self._server.pid

    def prepare(self) -> None:
        """Start the server, which takes a second to load; those who ask meanwhile wait."""
        if not self._lock.acquire(blocking=False):
            return  # somebody is about it
        try:
            with contextlib.suppress(OSError):
                self._ready()
        finally:
            self._lock.release()

    def start(self, environment: Mapping[str, str], *, given: int, output: int) -> str:
        """Order a fork; of a server that is gone, a new one is asked."""
        order, streams = json.dumps(dict(environment)).encode(), [given, output, output]
        with self._lock:
            for is_last in (False, True):
                try:
                    return self._ask(self._ready(), order, streams)
                except OSError as error:
                    log.warning("fork_server_gone", error=str(error) or type(error).__name__)
                    self._end()
                    if is_last:
                        raise
        raise AssertionError("it was asked twice")

    def reap(self) -> None:
        """Let go of a server that had nothing to do; it does the same for its own."""
        if self._server is not None:
            self._server.poll()

    def close(self) -> None:
        """End the server."""
        with self._lock:
            self._end()

    def _ready(self) -> socket.socket:
        if self._server is not None and self._server.poll() is not None:
            self._end()
        return self._orders or self._begin()

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._server = subprocess.Popen(
                    self._command,
                    stdin=theirs.fileno(),
                    env={**self._environment, "CHRONICLE_ROOM": " " * ROOM},
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        ours.settimeout(LOADED_WITHIN)
        self._orders = ours
        return ours

    @staticmethod
    def _ask(orders: socket.socket, order: bytes, streams: Sequence[int]) -> str:
        socket.send_fds(orders, [order], streams)
        answer = orders.recv(LONGEST_ANSWER)
        if not answer:
            raise BrokenPipeError("it ended without an answer")
        return answer.decode()

    def _end(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._server is not None:
            try:
                self._server.wait(REAPED_WITHIN)
            except subprocess.TimeoutExpired:
                # It hangs, and an order that it has not read would become a run after all.
                self._server.kill()
                self._server.wait()
            self._server = None


def handed_over(content: bytes | None) -> int:
    """Return a descriptor from which this can be read; it is on no disk and in no process list."""
    if content is None:
        return os.open(os.devnull, os.O_RDONLY)
    descriptor = os.memfd_create("handed-over", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
