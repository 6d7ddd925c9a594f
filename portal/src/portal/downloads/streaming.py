"""A store's blocking reads as an async iterator: bounded memory, a free event loop.

One chunk is in memory at a time. Each read happens in a thread of a pool of our own, so that
slow downloads cannot starve the threads in which Django runs its views.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

READERS = 32  # reads at the same moment; a download needs a thread only while it reads


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, thread_name_prefix="download")


class _Reader:
    """Closes its chunks safely although another thread may be reading one.

    1. The client goes away: the awaiting generator is cancelled, the thread reads on.
    2. The generator asks for a close, in another thread.
    3. The lock lets the close wait until that read is over; a running generator cannot be closed.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._lock = threading.Lock()

    def read(self) -> bytes | None:
        with self._lock:
            return next(self._chunks, None)

    def close(self) -> None:
        with self._lock:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()


async def in_threads(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the chunks, each read in a thread; closes them at the end or when cancelled."""
    reader = _Reader(chunks)
    loop = asyncio.get_running_loop()
    try:
        while (chunk := await loop.run_in_executor(_pool(), reader.read)) is not None:
            yield chunk
    finally:
        _pool().submit(reader.close)
