"""What was delivered: the recording as the store has it."""

from __future__ import annotations

from dataclasses import dataclass

from chronicle_contracts.recorder import Checksum, MediaInfo


@dataclass(frozen=True)
class Delivery:
    """A verified object: `size` in bytes, `duration` in seconds as probed."""

    key: str
    size: int
    etag: str
    checksum: Checksum
    duration: float
    media: MediaInfo
