"""Outages: for a while nothing can be had of the origin."""

from __future__ import annotations

import functools
import gzip

from tests.faults.fault import Fault
from tests.faults.origin import HLS, PLAIN, Origin, Request


class Outage(Fault):
    """Whatever is asked for, the answer is none."""

    hides_all = True


class Refused(Outage):
    """Nobody listens; connections that were open break."""

    name = "connection refused"

    def happen(self, origin: Origin) -> None:
        origin.stop_listening()

    def pass_over(self, origin: Origin) -> None:
        origin.listen_again()

    def answer(self, request: Request) -> bool:
        if self.is_on:
            request.hang_up()
        return self.is_on


class Failing(Outage):
    """The server answers with an error."""

    def __init__(self, length: float, status: int = 503) -> None:
        super().__init__(length)
        self.name = f"status {status}"
        self._status = status

    def answer(self, request: Request) -> bool:
        if self.is_on:
            request.send(self._status, PLAIN, b"sorry")
        return self.is_on


class Silent(Outage):
    """Connections are taken, requests are read, and that is all."""

    name = "accepts, then silent"

    def answer(self, request: Request) -> bool:
        if not self.is_on:
            return False
        request.wait_while(lambda: self.is_on)
        request.hang_up()
        return True


class RedirectLoop(Outage):
    """Every address leads to itself."""

    name = "redirect loop"

    def answer(self, request: Request) -> bool:
        if self.is_on:
            request.begin(302, PLAIN, length=0, headers={"Location": request.path})
        return self.is_on


class GzipBomb(Outage):
    """A gibibyte that travels as one mebibyte, in place of anything."""

    name = "gzip bomb"

    def answer(self, request: Request) -> bool:
        if self.is_on:
            bomb = _bomb()
            request.begin(200, HLS, length=len(bomb), headers={"Content-Encoding": "gzip"})
            request.write(bomb)
        return self.is_on


class MillionLines(Outage):
    """A playlist of a million segments that are not there."""

    name = "playlist of a million lines"

    def answer(self, request: Request) -> bool:
        if self.is_on:
            request.send(200, HLS, _million_lines()) if request.is_playlist else request.hang_up()
        return self.is_on


@functools.cache
def _bomb() -> bytes:
    # RFC 1952: a gzip file may have several members, one after the other.
    return gzip.compress(b"#EXTM3U\n" + b"\n" * (16 << 20)) * 64


@functools.cache
def _million_lines() -> bytes:
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
    return (head + "".join(f"#EXTINF:1,\nno/{n}.ts\n" for n in range(500_000))).encode()
