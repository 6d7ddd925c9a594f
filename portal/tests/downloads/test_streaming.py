from __future__ import annotations

import asyncio
import threading

import pytest
from portal.downloads.streaming import in_threads


class Source:
    """Chunks that notice when they are closed, and by which thread they are read."""

    def __init__(self, count, gate=None):
        self.closed = threading.Event()
        self.reading = threading.Event()
        self.threads = set()
        self.read = 0
        self._count = count
        self._gate = gate

    def chunks(self):
        try:
            for n in range(self._count):
                self.threads.add(threading.get_ident())
                self.read += 1
                self.reading.set()
                if self._gate:
                    self._gate.wait(60)
                yield bytes([n])
        finally:
            self.closed.set()


class TestInThreads:
    def test_yields_everything_in_order_and_closes(self):
        source = Source(5)

        async def all_of_it():
            return [chunk async for chunk in in_threads(source.chunks())]

        assert b"".join(asyncio.run(all_of_it())) == bytes(range(5))
        assert source.closed.wait(60)
        assert threading.get_ident() not in source.threads

    def test_reads_no_further_than_the_client(self):
        source = Source(1000)

        async def one():
            stream = in_threads(source.chunks())
            await anext(stream)
            await stream.aclose()

        asyncio.run(one())
        assert source.closed.wait(60)
        assert source.read == 1

    def test_leaves_the_loop_free_and_closes_when_the_client_goes_away_during_a_read(self):
        gate = threading.Event()
        source = Source(2, gate)

        async def go_away():
            task = asyncio.ensure_future(anext(in_threads(source.chunks())))
            # A read that blocked the loop would keep this from ever coming back.
            assert await asyncio.to_thread(source.reading.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(go_away())
        assert not source.closed.is_set()  # the thread is still in its read
        gate.set()
        assert source.closed.wait(60)

    def test_passes_on_what_goes_wrong(self):
        def broken():
            yield b"x"
            raise OSError("disk")

        async def all_of_it():
            return [chunk async for chunk in in_threads(broken())]

        with pytest.raises(OSError, match="disk"):
            asyncio.run(all_of_it())
