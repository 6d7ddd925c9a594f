"""Media types of what is stored."""

from __future__ import annotations

from pathlib import PurePosixPath

TYPES = {
    ".mkv": "video/x-matroska",
    ".torrent": "application/x-bittorrent",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
}


def content_type_of(key: str) -> str:
    """Return the media type by the key's suffix."""
    return TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")
