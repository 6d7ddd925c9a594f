"""Giving a file's blocks back to the disk while its size and its other bytes stay."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02  # linux/falloc.h


def punch(path: Path, start: int, length: int) -> bool:
    """Make `length` bytes from `start` a hole that reads as zeros.

    Returns False where system or file system cannot do that; the file is then as it was.
    """
    fallocate = _fallocate()
    if fallocate is None:
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        return bool(fallocate(descriptor, PUNCH_HOLE | KEEP_SIZE, start, length) == 0)
    finally:
        os.close(descriptor)


def allocated(path: Path) -> int:
    """Return the bytes that a file takes on the disk."""
    return path.stat().st_blocks * 512  # of this size whatever the file system's blocks are


@cache
def _fallocate() -> Any:
    """Return the C library's function with offsets of 64 bits; Python has no hand on it."""
    library = ctypes.CDLL(None)
    for name in ("fallocate64", "fallocate"):  # musl has the second only, of 64 bits too
        if (function := getattr(library, name, None)) is not None:
            function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
            return function
    return None
