"""How far a live stream was kept, segment by segment.

With it the next attempt, or the next address of the same stream, begins with the segment
after the last one that was kept: nothing twice, and nothing lost that the source still has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict


class Position(BaseModel):
    """A segment by its number and file name; `at` is when it was kept (Unix time).

    `seconds` is its length; 0 where nobody says.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    name: str
    at: float
    seconds: float = 0.0

    @classmethod
    def of(cls, number: int, name: str, seconds: float = 0.0) -> Position:
        """Return the position of a segment that is kept now."""
        return cls(number=number, name=name, at=time.time(), seconds=seconds)

    @property
    def kept_at(self) -> datetime:
        """When it was kept."""
        return datetime.fromtimestamp(self.at, UTC)

    def age(self) -> float:
        """Seconds since it was kept."""
        return max(0.0, time.time() - self.at)


_NOWHERE: Mapping[int, Position] = MappingProxyType({})


class Positions:
    """A position for each track of a stream, over all its fetchers; `moved` hears of each move.

    They begin as `known`; it is the log of segments that remembers them over processes.
    """

    def __init__(
        self,
        known: Mapping[int, Position] = _NOWHERE,
        moved: Callable[[int, Position], None] | None = None,
    ) -> None:
        self._positions = dict(known)
        self._moved = moved

    def of(self, track: int) -> Position | None:
        """Return where a track stands."""
        return self._positions.get(track)

    def move(self, track: int, position: Position) -> None:
        """Remember where a track stands now; one thread per track may call it."""
        self._positions[track] = position
        if self._moved is not None:
            self._moved(track, position)
