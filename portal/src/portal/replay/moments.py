"""Times as people type them."""

from __future__ import annotations

from datetime import datetime

from django.utils.dateparse import parse_datetime

from portal.replay.errors import BadParameters


def parse(text: str | None, name: str) -> datetime | None:
    """Return a time with its zone, None for no text. Raises `BadParameters`."""
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadParameters(
            f"{name} is {text!r}; write it as 2026-01-31T12:00:00Z", field=name.lstrip("-")
        )
    return moment
