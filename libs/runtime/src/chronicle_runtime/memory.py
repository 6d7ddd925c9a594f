"""Keeping a process of many threads small: what is freed goes back to the system."""

from __future__ import annotations

import ctypes

# malloc.h of the GNU C library; mallopt(3)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
ARENAS = 1
# Bytes that may wait for their next use, and the size from which on a block is mapped by itself. Of
# less, the buffers of every segment would come from the system page by page, and go back to it.
LARGE = 4 * 1024 * 1024


def give_memory_back() -> bool:
    """Tell the C library to share one arena among threads, and to keep little of what is freed.

    It would have eight arenas for each core, each with its own leftovers, and raise the size from
    which on memory is given back with every large block that is freed. Call it before threads are
    started. False where the C library knows none of this.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = {M_ARENA_MAX: ARENAS, M_TRIM_THRESHOLD: LARGE, M_MMAP_THRESHOLD: LARGE}
    return all(mallopt(name, value) == 1 for name, value in wanted.items())
