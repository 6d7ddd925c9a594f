"""Titles that an internet radio puts between its sound: SHOUTcast's ICY protocol.

After every `icy-metaint` bytes of sound comes a byte that counts blocks of 16 bytes, then the
blocks. We never ask for them; some servers send them to everybody.
"""

from __future__ import annotations


class Titles:
    """Takes the titles out of one response; `every` is its `icy-metaint`."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._sound_left = every
        self._title_left = 0

    def taken_out(self, data: bytes) -> bytes:
        """Return the sound of the next bytes of the response."""
        sound, at = bytearray(), 0
        while at < len(data):
            if self._title_left:
                skipped = min(self._title_left, len(data) - at)
                self._title_left -= skipped
                at += skipped
            elif self._sound_left:
                part = data[at : at + self._sound_left]
                sound += part
                self._sound_left -= len(part)
                at += len(part)
            else:
                self._title_left, self._sound_left = data[at] * 16, self._every
                at += 1
        return bytes(sound)


def titles(metaint: str | None) -> Titles | None:
    """Return what takes the titles out, by the header `icy-metaint`; None where there are none."""
    return Titles(int(metaint)) if metaint and metaint.isdigit() and int(metaint) > 0 else None
