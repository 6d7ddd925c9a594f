"""The files in which a recording grows: one for each attempt, more where a remuxer died.

Their names are found again by later attempts: `attempt-1`, `attempt-1-2`, `attempt-2`, ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from chronicle_storage import GrowingObject

JOINED = "joined"
_NAME = re.compile(r"attempt-\d+(?:-\d+)?(?=(?:\.\w+)?$)")


class Pieces:
    """Growing objects of one key, in the order in which they were recorded."""

    def __init__(self, grow: Callable[[str], GrowingObject], *, attempt: int) -> None:
        self._grow = grow
        self._attempt = attempt
        self._pieces = list(self._found())

    def __iter__(self) -> Iterator[GrowingObject]:
        return iter(list(self._pieces))

    def begin(self) -> GrowingObject:
        """Return the next piece of this attempt; its file does not exist yet."""
        piece = self._free(self._attempt)
        self._pieces.append(piece)
        return piece

    def joined(self) -> GrowingObject:
        """Return the object into which several pieces are joined."""
        return self._grow(JOINED)

    def _found(self) -> Iterator[GrowingObject]:
        for attempt in range(1, self._attempt + 1):
            for name in _names(attempt):
                piece = self._grow(name)
                if not piece.path.exists():
                    break
                yield piece

    def _free(self, attempt: int) -> GrowingObject:
        taken = {piece.path for piece in self._pieces}
        for name in _names(attempt):
            piece = self._grow(name)
            if piece.path not in taken and not piece.path.exists():
                return piece
        raise AssertionError("names never end")


def piece_of(name: str) -> str:
    """Return the name of a piece by that of its file, or of the object that it was set aside as.

    Empty for what is none.
    """
    found = _NAME.search(name)
    return found[0] if found else ""


def _names(attempt: int) -> Iterator[str]:
    yield f"attempt-{attempt}"
    number = 2
    while True:
        yield f"attempt-{attempt}-{number}"
        number += 1


def size_of(path: Path) -> int:
    """Return the size of a file in bytes; 0 where it is not begun yet."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
