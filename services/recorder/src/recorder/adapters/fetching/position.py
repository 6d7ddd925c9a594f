"""How far a live stream was kept, segment by segment, remembered over processes.

With it the next attempt, or the next address of the same stream, begins with the segment
after the last one that was kept: nothing twice, and nothing lost that the source still has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

log = structlog.get_logger(__name__)


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


_FILE = TypeAdapter(dict[int, Position])


class Positions:
    """The file `position.json` of the job's work folder: a position for each track.

    `moved` hears of each move.
    """

    def __init__(self, folder: Path, moved: Callable[[int, Position], None] | None = None) -> None:
        self._moved = moved
        self._path = folder / "position.json"
        self._positions = self._read()

    def of(self, track: int) -> Position | None:
        """Return where a track stands."""
        return self._positions.get(track)

    def move(self, track: int, position: Position) -> None:
        """Remember where a track stands now; one thread per track may call it."""
        self._positions = {**self._positions, track: position}
        self._write(track)
        if self._moved is not None:
            self._moved(track, position)

    def recover(self, positions: Mapping[int, Position]) -> None:
        """Stand where what is saved ends; before any fetcher is made."""
        self._positions = dict(positions)
        self._write(0)

    def _write(self, track: int) -> None:
        draft = self._path.with_suffix(f".{track}.tmp")
        try:
            draft.write_bytes(_FILE.dump_json(self._positions))
            draft.replace(self._path)
        except OSError as error:
            # This process knows all the same; a full disk must not break off its fetching.
            log.warning("position_not_noted", error=str(error))

    def _read(self) -> dict[int, Position]:
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return {}
