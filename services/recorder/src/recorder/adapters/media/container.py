"""Which container media comes in, by its first bytes."""

from __future__ import annotations

_MP4_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"sidx"})

# What ffmpeg may find out. Its other formats are not media but lists of places to read media
# from (dash, hls, concat, imf, sdp): a source that sends one could have files of this machine
# recorded, other people's recordings among them.
MEDIA_FORMATS = (
    "aac,ac3,asf,avi,eac3,flac,flv,h264,hevc,ivf,live_flv,matroska,webm,mov,mp4,mp3,mpeg,mpegts,"
    "mpegvideo,mxf,nut,ogg,wav"
)

# What a connection begins with may follow on the last one's media in these.
CONCATENABLE = frozenset({"mpegts", "aac", "mp3", "mp4"})

# In these ffmpeg goes on when the clock jumps, or there is none.
OF_ANY_CLOCK = frozenset({"mpegts", "aac", "mp3"})


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
    return _sound(head)


def _sound(head: bytes) -> str | None:
    """Return the container of frames of sound, which begin with eleven ones."""
    if len(head) < 2 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if head[1] & 0xE6 == 0xE2 else None  # layer III of MPEG-1, 2 and 2.5


def is_page(head: bytes) -> bool:
    """Return whether this is no media but a web page."""
    return head.lstrip()[:14].lower().startswith((b"<!doctype", b"<html"))
