"""Appending to the log and moving its cursors, past the ORM: they bound how fast ingest can be.

Both are called under the log's lock, so that nobody else draws positions meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from portal.eventlog.models import LoggedEvent, StreamCursor

_EVENT = LoggedEvent._meta
_COLUMNS = [field.attname for field in _EVENT.local_fields]
_INTO_LOG = f"{_EVENT.db_table} ({', '.join(_COLUMNS)})"

_CURSOR = StreamCursor._meta.db_table
# Where a stream ends, its journal or a person says, not the inbox.
_MOVE = f"""
    INSERT INTO {_CURSOR}
        (stream, job_id, contiguous, highest, sealed_at_sequence, ended_by)
    VALUES (%s, %s, %s, %s, %s, '')
    ON CONFLICT (stream) DO UPDATE SET
        contiguous = excluded.contiguous,
        highest = excluded.highest,
        sealed_at_sequence = excluded.sealed_at_sequence
"""  # noqa: S608 (our own names)


def append(events: Sequence[LoggedEvent]) -> Sequence[LoggedEvent]:
    """Write events behind the newest one, and give them their positions."""
    if not events:
        return events
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'position')) "
                "FROM generate_series(1, %s)",
                [_EVENT.db_table, len(events)],
            )
            for event, (position,) in zip(events, cursor.fetchall(), strict=True):
                event.position = position
            with cursor.copy(f"COPY {_INTO_LOG} FROM STDIN") as copy:
                for event in events:
                    copy.write_row([getattr(event, name) for name in _COLUMNS])
        else:
            # Nothing is ever deleted, so that the newest one has the highest number ever given.
            cursor.execute(f"SELECT coalesce(max(position), 0) FROM {_EVENT.db_table}")  # noqa: S608
            (newest,) = cursor.fetchone()
            for position, event in enumerate(events, start=newest + 1):
                event.position = position
            holders = ", ".join(["%s"] * len(_COLUMNS))
            cursor.executemany(
                f"INSERT INTO {_INTO_LOG} VALUES ({holders})",  # noqa: S608
                [[_for_sqlite(getattr(event, name)) for name in _COLUMNS] for event in events],
            )
    return events


def move(cursors: Collection[StreamCursor]) -> None:
    """Save how far streams were heard, those that are new as well."""
    rows = [
        (one.stream, one.job_id, one.contiguous, one.highest, one.sealed_at_sequence)
        for one in cursors
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_MOVE, rows)


def _for_sqlite(value: Any) -> Any:
    """Return a value as Django keeps it where there are neither times nor UUIDs."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value.hex if isinstance(value, UUID) else value
