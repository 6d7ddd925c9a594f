"""A stretch of a file as a file of its own: the body of one part, never held in memory."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class FileSlice(io.RawIOBase):
    """Read-only bytes `start` to `start + length`, whatever is appended to the file meanwhile."""

    def __init__(self, path: Path, start: int, length: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start = start
        self._length = length
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read again; a retried request does so."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the slice."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def tell(self) -> int:
        """Return the place within the slice."""
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as the slice goes."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._length - self._at))
        self._file.seek(self._start + self._at)
        read = self._file.readinto(view[:wanted])
        self._at += read
        return read

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()
