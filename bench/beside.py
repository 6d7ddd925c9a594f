"""Processes that work beside what a benchmark measures, until they are told to end.

Threads of the measuring process would share its interpreter's lock, which no two processes of
the system do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bench.databases import ROOT
from bench.report import Figure

Row = dict[str, Figure]


class Beside:
    """A function of this package in a process of its own, with the environment of this one.

    It yields a row once it is ready, and another one when its standard input is closed.
    """

    def __init__(self, module: str, function: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.child", f"bench.{module}", function],
            env=dict(os.environ),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Wait until it is ready."""
        self._row()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See to it that it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def ended(self) -> Row:
        """Tell it to end; return what it has to say."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._row()

    def _row(self) -> Row:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        row: Row = json.loads(line)
        return row


class Paced:
    """Something done at a steady pace until standard input is closed; errors are counted."""

    def __init__(self, act: Callable[[], None], *, every: float) -> None:
        self.done = 0
        self.errors: list[Exception] = []
        over = _input_closed()
        began = time.monotonic()
        for number in range(sys.maxsize):
            if over.is_set():
                break
            try:
                act()
                self.done += 1
            except Exception as error:  # noqa: BLE001 (counted)
                self.errors.append(error)
            over.wait(max(0.0, began + (number + 1) * every - time.monotonic()))
        self.seconds = time.monotonic() - began


def _input_closed() -> threading.Event:
    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    return over
