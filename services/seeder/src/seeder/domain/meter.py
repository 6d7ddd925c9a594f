"""How much was uploaded in all, from engines that may begin to count anew."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meter:
    """A total over the lives of an engine; `base` is what earlier lives sent."""

    base: int
    last: int

    @classmethod
    def begin(cls, known: int, reading: int) -> Meter:
        """Start from what the history knows and what the engine says first.

        An engine that remembers says at least what is known; one that forgot says less.
        """
        return cls(base=0 if reading >= known else known, last=reading)

    def read(self, reading: int) -> Meter:
        """Take in what the engine says now; a smaller number is a new life."""
        base = self.base + self.last if reading < self.last else self.base
        return Meter(base, reading)

    @property
    def total(self) -> int:
        """Bytes sent since the torrent was first offered."""
        return self.base + self.last
