"""How a recording is cut into pieces, by its size."""

from __future__ import annotations

MIB = 1024 * 1024
GB = 1_000_000_000

# (below this size, this piece length); few enough pieces that the .torrent stays small.
_LENGTHS = ((1 * GB, 1 * MIB), (10 * GB, 4 * MIB))
_LONGEST = 8 * MIB


def piece_length(size: int) -> int:
    """Return the bytes of a piece for a recording of `size` bytes."""
    return next((length for below, length in _LENGTHS if size < below), _LONGEST)
