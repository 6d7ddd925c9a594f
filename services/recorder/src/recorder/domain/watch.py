"""Watching media time: it moves, it stands still, it moves again.

Processes and connections may live while no media comes; only media time tells.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_MOVE = 0.05  # seconds of media; less is a rounding of the remuxer's clock
STILL_AFTER = 6.0  # seconds without media after which a capture counts as interrupted


@dataclass(frozen=True)
class Stall:
    """Media stands still, for `seconds` already."""

    seconds: float


@dataclass(frozen=True)
class Resumption:
    """Media moves again after `seconds`; `gained` seconds of media came in one go with it."""

    seconds: float
    gained: float


class Watch:
    """Judges media time against a clock; both are given, in seconds."""

    def __init__(self, now: float) -> None:
        self._moved_at = now
        self._media = 0.0
        self._is_still = False

    @property
    def media_seconds(self) -> float:
        """The farthest media time that was seen."""
        return self._media

    def idle(self, now: float) -> float:
        """Return for how long no media has come."""
        return now - self._moved_at

    def see(
        self, now: float, media_seconds: float, *, patience: float = 0.0
    ) -> Stall | Resumption | None:
        """Note where media time stands; return what changed by that.

        `patience` is the silence that is normal for this source: with segments of 10 s
        media comes every 10 s only.
        """
        if media_seconds > self._media + LEAST_MOVE:
            idle, gained = self.idle(now), media_seconds - self._media
            was_still, self._is_still = self._is_still, False
            self._moved_at, self._media = now, media_seconds
            return Resumption(idle, gained) if was_still else None
        if not self._is_still and self.idle(now) > max(STILL_AFTER, patience):
            self._is_still = True
            return Stall(self.idle(now))
        return None
