"""Changes: what the encoder sends is not what it sent before."""

from __future__ import annotations

import threading
from datetime import timedelta

from tests.faults.bodies import BadSegments
from tests.faults.fault import Fault
from tests.faults.origin import HLS, PLAIN, TS, Origin, Request, encrypted


class Restart(Fault):
    """The encoder is away for a moment; its media begins anew, its count perhaps as well.

    `folder` is where the new one's segments lie: "first" means over the old ones.
    """

    def __init__(
        self, length: float, *, count_anew: bool, discontinuity: bool, folder: str = "second"
    ) -> None:
        super().__init__(length)
        self.name = "encoder restart, sequence " + ("reset" if count_anew else "goes on")
        if folder == "first":
            self.name += ", same names"
        self._count_anew = count_anew
        self._discontinuity = discontinuity
        self._folder = folder

    def happen(self, origin: Origin) -> None:
        origin.encoder.pause()

    def pass_over(self, origin: Origin) -> None:
        if self._count_anew:
            origin.encoder.forget()
        origin.encoder.begin_life(
            "second",
            count_anew=self._count_anew,
            discontinuity=self._discontinuity,
            folder=self._folder,
        )


class MediaChange(Fault):
    """From one segment to the next the media is of another kind; after `length` as before.

    `is_marked`: the playlist says so (EXT-X-DISCONTINUITY).
    """

    def __init__(
        self, name: str, life: str, length: float = 0.0, *, is_marked: bool = True
    ) -> None:
        super().__init__(length)
        self.name = name + ("" if is_marked else ", unmarked")
        self._life = life
        self._is_marked = is_marked

    def happen(self, origin: Origin) -> None:
        origin.encoder.begin_life(self._life, count_anew=False, discontinuity=self._is_marked)

    def pass_over(self, origin: Origin) -> None:
        if self.length:
            origin.encoder.begin_life("second", count_anew=False, discontinuity=self._is_marked)


class KeyChange(Fault):
    """From now on segments are encrypted, with a new key every second.

    For `length` seconds there is no key to be had.
    """

    name = "key changes (AES-128)"

    def __init__(self, length: float = 0.0) -> None:
        super().__init__(length)
        self._stop = threading.Event()

    def happen(self, origin: Origin) -> None:
        origin.encoder.key = "0"
        threading.Thread(target=self._turn, args=(origin,), daemon=True).start()

    def answer(self, request: Request) -> bool:
        is_lacking = self.is_on and request.path.startswith("/keys/")
        if is_lacking:
            request.send(503, PLAIN, b"")
        return is_lacking

    def _turn(self, origin: Origin) -> None:
        number = 0
        while origin.is_open:
            self._stop.wait(3 * origin.encoder.pacing.pace)
            number += 1
            origin.encoder.key = str(number)


class WrongKey(BadSegments):
    """From now on segments are encrypted; some with another key than the one that is named."""

    name = "wrong key"

    def happen(self, origin: Origin) -> None:
        super().happen(origin)
        origin.encoder.key = "right"

    def spoil(self, request: Request) -> None:
        assert request.entry is not None
        request.send(200, TS, encrypted(request.entry, "wrong"))


class ClockJump(Fault):
    """The wall clock of the encoder (EXT-X-PROGRAM-DATE-TIME) jumps to another day and back."""

    name = "clock jump of the playlist's dates"

    def happen(self, origin: Origin) -> None:
        origin.encoder.date_shift = timedelta(days=-1, hours=5)

    def pass_over(self, origin: Origin) -> None:
        origin.encoder.date_shift = timedelta(minutes=1)


class Undated(Fault):
    """The playlist names no dates at all."""

    name = "no dates"

    def answer(self, request: Request) -> bool:
        text = request.playlist
        if text is None:
            return False
        lines = [line for line in text.splitlines(keepends=True) if "-DATE-TIME" not in line]
        request.send(200, HLS, "".join(lines).encode())
        return True


class Frozen(Fault):
    """The encoder dies: the playlist stays as it is, with no end mark."""

    name = "playlist freezes, no end mark"
    is_deadly = True

    def happen(self, origin: Origin) -> None:
        origin.encoder.pause()
