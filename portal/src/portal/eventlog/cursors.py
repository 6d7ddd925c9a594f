"""Cursors: how far each stream was heard without holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from portal.eventlog.appending import move
from portal.eventlog.models import LoggedEvent, StreamCursor


def load(streams: Collection[str]) -> dict[str, StreamCursor]:
    """Return the cursors of those streams that were heard before."""
    return StreamCursor.objects.in_bulk(list(streams))


def advance(cursors: dict[str, StreamCursor], stored: Iterable[LoggedEvent]) -> None:
    """Move the cursors over events that were just put into the log, and save them."""
    heard: dict[str, list[LoggedEvent]] = defaultdict(list)
    for one in stored:
        heard[one.stream].append(one)
    for stream, events in heard.items():
        cursor = cursors.setdefault(stream, StreamCursor(stream=stream, job_id=events[0].job_id))
        present = {one.sequence for one in events}
        if cursor.has_gap:
            present |= _beyond(cursor)
        cursor.highest = max(cursor.highest, *present)
        while cursor.contiguous + 1 in present:
            cursor.contiguous += 1
        for one in events:
            if one.sealed:
                cursor.sealed_at_sequence = one.sequence
    move([cursors[stream] for stream in heard])


def _beyond(cursor: StreamCursor) -> set[int]:
    """Return the sequences that wait beyond the hole."""
    return set(
        LoggedEvent.objects.filter(
            stream=cursor.stream, sequence__gt=cursor.contiguous
        ).values_list("sequence", flat=True)
    )
