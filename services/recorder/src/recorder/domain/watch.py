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
    """Media moves again after `seconds`; `gained` seconds of media came in one go with it.

    Media time alone does not tell: where a live source's clock ran on while it was away, media
    time jumps and nothing comes with the jump. So what came is counted by its bytes, too.
    """

    seconds: float
    gained: float


class Watch:
    """Judges media time against a clock; both are given, in seconds."""

    def __init__(self, now: float) -> None:
        self._moved_at = now
        self._media = 0.0
        self._bytes = 0
        self._is_still = False

    @property
    def media_seconds(self) -> float:
        """The farthest media time that was seen."""
        return self._media

    def idle(self, now: float) -> float:
        """Return for how long no media has come."""
        return now - self._moved_at

    def see(
        self, now: float, media_seconds: float, bytes_recorded: int = 0, *, patience: float = 0.0
    ) -> Stall | Resumption | None:
        """Note where media time stands; return what changed by that.

        `patience` is the silence that is normal for this source: with segments of 10 s
        media comes every 10 s only.
        """
        if media_seconds > self._media + LEAST_MOVE:
            idle, gained = self.idle(now), self._gained(media_seconds, bytes_recorded)
            was_still, self._is_still = self._is_still, False
            self._moved_at, self._media, self._bytes = now, media_seconds, bytes_recorded
            return Resumption(idle, gained) if was_still else None
        if not self._is_still and self.idle(now) > max(STILL_AFTER, patience):
            self._is_still = True
            return Stall(self.idle(now))
        return None

    @property
    def is_still(self) -> bool:
        """Whether media stands still."""
        return self._is_still

    def _gained(self, media_seconds: float, bytes_recorded: int) -> float:
        gained = media_seconds - self._media
        if self._media <= 0 or self._bytes <= 0:
            return gained
        by_bytes = (bytes_recorded - self._bytes) * self._media / self._bytes
        # Bitrates vary; half as much as on average is still all of it.
        return gained if by_bytes > gained / 2 else max(0.0, by_bytes)
