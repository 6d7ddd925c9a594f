"""Pipes that hold more than the 64 KiB of most."""

from __future__ import annotations

import contextlib
import fcntl
import os

WIDTH = 1024 * 1024  # bytes


def wide_pipe() -> tuple[int, int]:
    """Return the ends of a pipe, for reading and for writing.

    A segment fits into it: nobody waits, and is woken, for each 64 KiB of one. Where the system
    has none so wide, or a user may have no more of them, it is an ordinary one.
    """
    reader, writer = os.pipe()
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, WIDTH)
    return reader, writer
