"""Numbers, times and foreign text as a terminal shows them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from chronicle_cli.answers import Job, LoggedEvent, Progress

LONGEST_DATA = 160  # characters of an event's data on its line


def printable(text: str | None) -> str:
    """Return a foreign text as one line that holds nothing a terminal would take for a command."""
    return "".join(c if c.isprintable() else " " for c in text or "").rstrip()


def size(count: float) -> str:
    """Return bytes as `1.5 GiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def duration(seconds: float) -> str:
    """Return seconds as `1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def bitrate(bits: float) -> str:
    """Return bits per second as `1.25 Mbit/s`."""
    return f"{bits / 1e6:.2f} Mbit/s"


def clock(moment: str) -> str:
    """Return the local time of day of a moment."""
    return f"{datetime.fromisoformat(moment).astimezone():%H:%M:%S}"


def day_and_time(moment: str | None) -> str:
    """Return the local date and time of a moment, empty for none."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}" if moment else ""


def progress(now: Progress, *, limit: float | None = None) -> str:
    """Return a heartbeat in words."""
    words = [duration(now.media_seconds) + (f" of {duration(limit)}" if limit else "")]
    words.append(size(now.bytes_recorded))
    if now.bitrate:
        words.append(bitrate(now.bitrate))
    words.append(f"{size(now.bytes_durable)} safe")
    if now.restarts:
        words.append(f"{now.restarts} restarts")
    return ", ".join(words)


def how_far(job: Job) -> str:
    """Return how much of a job is recorded, empty where nothing is."""
    if job.recording:
        return f"{duration(job.recording.duration)}, {size(job.recording.size)}"
    if job.progress:
        return f"{duration(job.progress.media_seconds)}, {size(job.progress.bytes_recorded)}"
    return ""


def event(logged: LoggedEvent) -> str:
    """Return an event on one line: position, time, publisher and name, data."""
    envelope = logged.event
    kind = str(envelope.get("type", "")).removeprefix("chronicle.")
    when = clock(str(envelope.get("time") or logged.received_at))
    data = " ".join(_pairs(envelope.get("data")))
    if len(data) > LONGEST_DATA:
        data = data[: LONGEST_DATA - 1] + "…"
    return printable(f"{logged.position:>6}  {when}  {kind:<32} {data}")


def _pairs(data: Any) -> list[str]:
    if not isinstance(data, dict):
        return []
    return [
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in data.items()
        if value is not None and value not in ([], "")
    ]
