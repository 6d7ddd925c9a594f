"""Durations and times as people type them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WORDED = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([dhms])")


def seconds(text: str) -> float:
    """Read `90s`, `20m`, `1h30m`, `1:30:00` or plain seconds. Raises `typer.BadParameter`."""
    said = text.strip().lower()
    if _WORDED.fullmatch(said):
        total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(said))
    elif re.fullmatch(r"\d+(:[0-5]\d){1,2}", said):
        total = 0.0
        for part in said.split(":"):
            total = total * 60 + float(part)
    elif re.fullmatch(r"\d+(\.\d+)?", said):
        total = float(said)
    else:
        raise typer.BadParameter(f"{text!r} is no duration; write 90s, 20m, 1h30m or seconds")
    if total <= 0 or not math.isfinite(total):
        raise typer.BadParameter(f"{text!r} is no duration above 0")
    return total


def limit(text: str) -> float | None:
    """Read a duration, or `none` for no limit."""
    return None if text.strip().lower() == "none" else seconds(text)


def moment(text: str, *, now: datetime | None = None) -> datetime:
    """Read an ISO 8601 time (local where it names no zone), or `+2h` for a time from now on.

    Raises `typer.BadParameter`.
    """
    said = text.strip()
    if said.startswith("+"):
        return (now or datetime.now(UTC)) + timedelta(seconds=seconds(said[1:]))
    try:
        return datetime.fromisoformat(said).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-01-31T20:00, 2026-01-31T19:00:00Z or +2h"
        ) from error
