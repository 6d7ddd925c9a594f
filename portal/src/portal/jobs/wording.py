"""A job's numbers in words, for pages that people read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from portal.jobs.models import Job

NOTHING = "\N{EN DASH}"
_STEP = 1024


def size(count: float | None) -> str:
    """Return bytes as people say them: `1.5 GiB`."""
    if count is None:
        return NOTHING
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _STEP:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _STEP
    return f"{amount:.1f} TiB"


def duration(seconds: float | None) -> str:
    """Return media seconds as hours, minutes and seconds: `1:02:03`."""
    if seconds is None:
        return NOTHING
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def bitrate(bits: float | None) -> str:
    """Return bits per second as Mbit/s."""
    return NOTHING if bits is None else f"{bits / 1e6:.2f} Mbit/s"


def progress(job: Job) -> str:
    """Return how far a job is, in a few words; empty where nothing was recorded."""
    if job.recording:
        return f"{duration(job.recording['duration'])}, {size(job.recording['size'])}"
    if job.progress:
        now: dict[str, Any] = job.progress
        return f"{duration(now['media_seconds'])}, {size(now['bytes_recorded'])}"
    return ""


def bytes_of(job: Job) -> int | None:
    """Return the size of what was recorded so far."""
    if job.recording:
        return int(job.recording["size"])
    return int(job.progress["bytes_recorded"]) if job.progress else None


def link(url: str) -> str | None:
    """Return an address that may become a link, None for one that a browser would run."""
    return url if urlsplit(url).scheme in {"http", "https"} else None


def magnet(job: Job) -> str | None:
    """Return the magnet link of a job's torrent, None where there is none."""
    found = (job.torrent or {}).get("magnet") or ""
    return found if found.startswith("magnet:?") else None
