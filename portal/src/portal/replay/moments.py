"""Places of the log and times, as people type them."""

from __future__ import annotations

from datetime import datetime

from django.utils.dateparse import parse_datetime

from portal.replay.errors import BadParameters


def moment(text: str | None, name: str) -> datetime | None:
    """Return a time with its zone, None for no text. Raises `BadParameters`."""
    if text is None:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadParameters(
            f"{name} is {text!r}; write it as 2026-01-31T12:00:00Z", field=name.lstrip("-")
        )
    return found


def position(text: str | None, name: str) -> int | None:
    """Return a position of the log, None for no text. Raises `BadParameters`."""
    if text is None:
        return None
    if not text.isdecimal() or len(text) > len(str(2**63)) - 1:
        raise BadParameters(f"{name} is {text!r}; positions are numbers from 1 on", field=name)
    return int(text)
