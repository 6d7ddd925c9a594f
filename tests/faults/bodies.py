"""Bad bodies: playlists are well, but some segments do not come as they should."""

from __future__ import annotations

import time

from tests.faults.encoder import Entry
from tests.faults.fault import Fault
from tests.faults.origin import PLAIN, TS, Origin, Request

# An MPEG-TS packet that holds nothing (ISO/IEC 13818-1, 2.4.3.3: PID 0x1FFF).
NULL_PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184


class BadSegments(Fault):
    """The next `count` segments after it begins are bad for ever."""

    def __init__(self, count: int = 1) -> None:
        super().__init__()
        self._count = count
        self._first = 0

    def happen(self, origin: Origin) -> None:
        self._first = origin.encoder.next_number

    def denies(self, entry: Entry) -> bool:
        return self._first <= entry.number < self._first + self._count

    def answer(self, request: Request) -> bool:
        if request.entry is None or not self.denies(request.entry):
            return False
        self.spoil(request)
        return True

    def spoil(self, request: Request) -> None:
        """Answer badly."""
        raise NotImplementedError


class Missing(BadSegments):
    """They are listed, but not there."""

    name = "segments 404 for ever"

    def spoil(self, request: Request) -> None:
        request.send(404, PLAIN, b"")


class Dripping(BadSegments):
    """They come so slowly that it would take hours."""

    name = "slow drip"

    def spoil(self, request: Request) -> None:
        body = request.body
        request.begin(200, TS, length=len(body))
        for at in range(0, len(body), 20):
            if not request.is_wanted:
                break
            request.write(body[at : at + 20])
            time.sleep(0.5)
        request.hang_up()


class Endless(BadSegments):
    """They never end: four mebibytes a second of packets that hold nothing."""

    name = "endless body"

    def spoil(self, request: Request) -> None:
        request.begin(200, TS)
        while request.is_wanted:
            request.write(NULL_PACKET * 2230)
            time.sleep(0.1)


class Truncated(BadSegments):
    """The length that was promised is not what comes."""

    name = "wrong Content-Length"

    def spoil(self, request: Request) -> None:
        body = request.body
        request.begin(200, TS, length=len(body) + 1000)
        request.write(body[: len(body) // 2])
        request.hang_up()


class Shortened(BadSegments):
    """The half of a segment comes as if it were all of it."""

    name = "half a segment as a whole one"

    def spoil(self, request: Request) -> None:
        body = request.body
        request.send(200, TS, body[: len(body) // 2])


class Stalling(Fault):
    """In the middle of a segment nothing more comes, until it is over."""

    name = "stall inside a segment"

    def answer(self, request: Request) -> bool:
        if request.entry is None or not self.is_on:
            return False
        body = request.body
        request.begin(200, TS, length=len(body))
        request.write(body[: len(body) // 2])
        request.wait_while(lambda: self.is_on)
        request.write(body[len(body) // 2 :])
        return True
