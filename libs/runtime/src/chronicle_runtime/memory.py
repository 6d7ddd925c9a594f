"""Keeping a process of many threads small: what is freed goes back to the system."""

from __future__ import annotations

import ctypes

# malloc.h of the GNU C library; mallopt(3)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 2
LARGE = 128 * 1024  # bytes


def give_memory_back() -> bool:
    """Tell the C library to share its arenas among threads, and not to keep what is freed.

    It would have eight arenas for each core, each with its own leftovers, and raise the size from
    which on memory is given back with every large block that is freed. Call it before threads are
    started. False where the C library knows none of this.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = {M_ARENA_MAX: ARENAS, M_TRIM_THRESHOLD: LARGE, M_MMAP_THRESHOLD: LARGE}
    return all(mallopt(name, value) == 1 for name, value in wanted.items())
