"""A recorder that is loaded once and forked for each run: `python -m recorder.forkserver [IDLE]`.

Loading takes most of a second and 60 MB: of a fork only what it changes is its own. Standard
input is a Unix socket (SOCK_SEQPACKET). An order is one message, the environment of a run as
JSON, with three descriptors: what the run reads as standard input, and where its output and its
errors go. The answer is `pid:starttime` (proc(5), stat). A
closed socket ends the server, and so do `IDLE` seconds without an order; the runs go on.

To whoever looks at the processes of this machine, a run is what `python -m recorder` would be:
the leader of a session, with its own environment and command line in /proc.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LONGEST_ORDER = 128 * 1024  # bytes; a message is whole or not there at all
STREAMS = 3
# Seconds. Loading takes one, and whoever launches has it done while a URL is looked at; until then
# there is no reason to keep 80 MB, or a third of what one recording takes.
IDLE = 60.0
START_TIME, ARGUMENTS = 19, 45  # fields of proc(5), stat, behind the name: 22 and 48 to 51
COMMAND = (b"python", b"-m", b"recorder")

# What a recorder imports only where it needs it; here everybody has it, and nobody pays for it.
_LOADED = (
    "recorder.__main__",
    "recorder.adapters.fetching.hls.fetcher",
    "chronicle_storage.s3",
    "eventsourcing.sqlite",
)
# What a library imports only if it is there, for what is of no use here: colours in tracebacks.
# None in its place means that it is not.
_UNWANTED = ("rich",)


def main() -> int:
    """Fork until the socket is closed; in a fork, return the run's exit code."""
    idle = float(sys.argv[1]) if len(sys.argv) > 1 else IDLE
    _load()
    # A child that ends writes a byte there (signal.set_wakeup_fd), so that nobody has to look.
    ends, ended = socket.socketpair()
    with ends, ended, socket.socket(fileno=os.dup(sys.stdin.fileno())) as orders:
        ended.setblocking(False)
        signal.set_wakeup_fd(ended.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # or there would be no signal at all
        while (order := _next(orders, ends, idle)) is not None:
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for inherited in (orders, ends, ended):
                    inherited.close()
                return _run(*order)
            for descriptor in order[1]:
                os.close(descriptor)
            # Whoever asked may be gone: the run is found by its environment then.
            with contextlib.suppress(OSError):
                orders.send(f"{pid}:{_stat(pid)[START_TIME]}".encode())
    return 0


def _load() -> None:
    for module in _UNWANTED:
        sys.modules[module] = None  # type: ignore[assignment]
    importlib.import_module("chronicle_runtime").give_memory_back()
    gc.disable()  # what it frees now, each fork would fill in pages of its own
    for module in _LOADED:
        importlib.import_module(module)
    clients = importlib.import_module("chronicle_messaging.clients")
    clients.Clients(region="us-east-1", endpoint_url="http://127.0.0.1").load()
    gc.freeze()  # or each fork would write to all of it at its first collection


def _next(
    orders: socket.socket, ends: socket.socket, idle: float
) -> tuple[dict[str, str], Sequence[int]] | None:
    """Wait for an order, and bury meanwhile what has ended; None when no more is waited for."""
    until = time.monotonic() + idle
    while orders not in (ready := select.select([orders, ends], [], [], idle)[0]):
        idle = max(0.0, until - time.monotonic())
        if not ready:
            return None
        _reap(ends)
    if ends in ready:
        _reap(ends)
    message, descriptors, _, _ = socket.recv_fds(orders, LONGEST_ORDER, STREAMS)
    return (json.loads(message), descriptors) if message else None


def _reap(ends: socket.socket) -> None:
    ends.recv(4096)  # before looking: who ends later writes again
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _run(environment: dict[str, str], streams: Sequence[int]) -> int:
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    _show(environment)
    gc.enable()
    from recorder.__main__ import main as record  # noqa: PLC0415 - loaded above

    return record()


def _show(environment: dict[str, str]) -> None:
    """Write command line and environment to where the kernel reads them (proc(5), stat)."""
    places = (int(one) for one in _stat(os.getpid())[ARGUMENTS:])
    arguments, arguments_end, variables, variables_end, *_ = places
    said = [os.fsencode(f"{name}={value}") for name, value in environment.items()]
    for begins, ends, words in (
        (arguments, arguments_end, COMMAND),
        (variables, variables_end, said),
    ):
        if not 0 < begins < ends:
            continue  # the kernel does not say
        # Python's own copies are elsewhere by now; what does not fit is not shown.
        text = b"".join(word + b"\0" for word in words)[: ends - begins - 1]
        ctypes.memset(begins, 0, ends - begins)
        ctypes.memmove(begins, text, len(text))


def _stat(pid: int) -> Sequence[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    sys.exit(main())
