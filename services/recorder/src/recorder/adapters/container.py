"""Which container media comes in, by its first bytes."""

from __future__ import annotations

_MP4_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx"})

# What a connection begins with may follow on the last one's media in these.
CONCATENABLE = frozenset({"mpegts", "aac", "mp4"})


def container(head: bytes) -> str | None:
    """Return ffmpeg's name of the container; None where ffmpeg itself must find out."""
    if head[:1] == b"\x47":
        return "mpegts"
    if head[4:8] in _MP4_BOXES:
        return "mp4"
    if head[:3] == b"FLV":
        return "flv"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    return None


def is_page(head: bytes) -> bool:
    """Return whether this is no media but a web page."""
    return head.lstrip()[:14].lower().startswith((b"<!doctype", b"<html"))
