"""One writer of the log at a time, so that positions become visible in their order."""

from __future__ import annotations

from django.db import connection

# Any constant will do; it must be the same in every process of the portal.
_LOCK = 0x6368726F6E  # "chron"


def lock_log() -> None:
    """Take the log's lock until the transaction ends; call it first in a writing transaction.

    On PostgreSQL a number is drawn at the insert and seen at the commit: without the lock a
    reader could pass a lower number that is committed later, and never see it. On SQLite an
    IMMEDIATE transaction is the only writer as it is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
