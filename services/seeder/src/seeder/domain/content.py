"""Which content of a recording an event speaks of."""

from __future__ import annotations

from chronicle_contracts.recorder import Uploaded


def content_of(uploaded: Uploaded) -> str:
    """Return what identifies the bytes: the same however often they are delivered."""
    return f"{uploaded.checksum.algorithm}:{uploaded.checksum.value}"
