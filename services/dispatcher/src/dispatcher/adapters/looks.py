"""The last looks at URLs whose streams are waited for, a row a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from dispatcher.adapters.database import Database, Row
from dispatcher.domain.look import Look

_NOTE = """
INSERT INTO looks (job_id, looked_at, not_yet_at, troubled_since) VALUES (%s, %s, %s, %s)
ON CONFLICT (job_id) DO UPDATE SET
    looked_at = excluded.looked_at,
    not_yet_at = excluded.not_yet_at,
    troubled_since = excluded.troubled_since
"""

_SELECT = "SELECT job_id, looked_at, not_yet_at, troubled_since FROM looks"


class SqlLooks:
    """The port `Looks` over a table; of two looks at once the later one stays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, look: Look) -> None:
        """Keep a job's look in place of the one before."""
        times = (look.at, look.not_yet_at, look.troubled_since)
        seconds = [None if time is None else time.timestamp() for time in times]
        self._database.execute(_NOTE, (look.job_id, *seconds))

    def of(self, job_id: str) -> Look | None:
        """Return the job's last look."""
        rows = self._database.query(f"{_SELECT} WHERE job_id = %s", (job_id,))
        return _look(rows[0]) if rows else None

    def all(self) -> Mapping[str, Look]:
        """Return the looks of all jobs, by job."""
        return {row[0]: _look(row) for row in self._database.query(_SELECT)}

    def forget(self, job_id: str) -> None:
        """Forget the job's look, if there is one."""
        self._database.execute("DELETE FROM looks WHERE job_id = %s", (job_id,))


def _look(row: Row) -> Look:
    at, not_yet_at, troubled_since = (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC) for seconds in row[1:]
    )
    assert at is not None
    return Look(row[0], at, not_yet_at, troubled_since)
