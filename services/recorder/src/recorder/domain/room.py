"""Room on the disk: enough, short, enough again."""

from __future__ import annotations

_MIB = 1024 * 1024  # bytes
MOST_MORE = 64 * _MIB


class Room:
    """Judges the bytes that are free against the `least` that must be."""

    def __init__(self, least: int) -> None:
        self._least = least
        # Or a recording would begin and break off without end.
        self._again = least + min(MOST_MORE, least // 4)
        self._free = 0
        self.is_short = False

    def see(self, free: int | None) -> bool:
        """Note how much is free (None: nobody knows); return whether that changed the answer."""
        if free is None:
            return False
        was_short, self._free = self.is_short, free
        self.is_short = free < (self._again if was_short else self._least)
        return self.is_short != was_short

    @property
    def detail(self) -> str:
        """A sentence for people."""
        return (
            f"The disk has {self._free // _MIB} MiB left; {self._least // _MIB} MiB must be free "
            "where a recording grows (CHRONICLE_MIN_FREE_DISK). Make room on it."
        )
