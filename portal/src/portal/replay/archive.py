"""The form of an export: JSON lines, each an object with its `kind`.

::

    header       format, version
    event        all columns, the envelope as it came; own: said | unsaid | null
    skipped      an event that folds pass over
    ended        a stream that was taken for whole without a seal
    quarantined  a message that could not enter the log
    end          how many of each; a file without it is not whole

`own` marks events of the portal's own store: what was said before the export must not be said
again by the system that imports it, and what was not must be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

from portal.eventlog.models import QuarantinedMessage, SkippedEvent, StreamCursor
from portal.replay.errors import NotNow, NotThere

FORMAT = "chronicle-log"
VERSION = 1

Line = dict[str, Any]

EVENT = (
    *("position", "event_id", "stream", "sequence", "job_id", "type", "source"),
    *("occurred_at", "received_at", "sealed", "progress", "envelope"),
)
SKIPPED = (
    *("position", "job_id", "type", "occurred_at"),
    *("reason", "projections", "skipped_by", "skipped_at"),
)
ENDED = ("stream", "job_id", "ended_at_sequence", "ended_by")
QUARANTINED = (
    *("reason", "detail", "body", "attributes", "fingerprint", "times"),
    *("received_at", "released_at", "dropped_at", "dropped_because", "handled_by"),
)

HEADER: Line = {"kind": "header", "format": FORMAT, "version": VERSION}


def dump(line: Line) -> bytes:
    """Return a line of the file."""
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"), default=_iso).encode() + b"\n"


def marks() -> Iterator[Line]:
    """Yield what people and recorders said about the log, beside its events."""
    for kind, rows, names in (
        ("skipped", SkippedEvent.objects.order_by("position"), SKIPPED),
        ("ended", StreamCursor.objects.exclude(ended_at_sequence=None).order_by("stream"), ENDED),
        ("quarantined", QuarantinedMessage.objects.order_by("pk"), QUARANTINED),
    ):
        for row in rows.iterator():
            yield {"kind": kind, **{name: getattr(row, name) for name in names}}


def read(path: Path) -> Iterator[Line]:
    """Yield the lines of a whole export. Raises `NotThere`, `NotNow`; reads it twice."""
    try:
        _check(path)
        with path.open("rb") as file:
            for raw in file:
                yield json.loads(raw)
    except OSError as error:
        raise NotThere(f"{path} cannot be read: {error.strerror}", field="file") from error


def values(line: Line, names: tuple[str, ...]) -> dict[str, Any]:
    """Return columns of a line as a model takes them."""
    return {name: _moment(line[name]) if name.endswith("_at") else line[name] for name in names}


def _check(path: Path) -> None:
    with path.open("rb") as file:
        first = _parsed(file.readline())
        if (first.get("format"), first.get("version")) != (FORMAT, VERSION):
            raise NotNow(
                f"{path} is no export of version {VERSION}: its first line says {first}; "
                "take a file that `export` wrote"
            )
        last: Line = first
        for number, raw in enumerate(file, start=2):
            last = _parsed(raw)
            if not last:
                raise NotNow(f"line {number} of {path} is no JSON object; the file is damaged")
    if last.get("kind") != "end":
        raise NotNow(f"{path} ends in the middle; run `export` again, it goes on with it")


def _parsed(raw: bytes) -> Line:
    try:
        line = json.loads(raw)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{value!r} is not for an export")
