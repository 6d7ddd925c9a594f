"""What the portal asked for, by job, as the events that said so."""

from __future__ import annotations

from collections.abc import Sequence

from chronicle_contracts import Event, decode, encode

from dispatcher.adapters.database import Database


class SqlOrders:
    """The port `Orders` over a table; its key decides what was there before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: Event) -> None:
        """Keep an event of the portal; one that is already there changes nothing."""
        self._database.execute(
            "INSERT INTO orders (job_id, sequence, event) VALUES (%s, %s, %s) "
            "ON CONFLICT (job_id, sequence) DO NOTHING",
            (event.subject, event.sequence, encode(event).decode()),
        )

    def of(self, job_id: str) -> Sequence[Event]:
        """Return the portal's events about a job that were heard so far."""
        rows = self._database.query(
            "SELECT event FROM orders WHERE job_id = %s ORDER BY sequence", (job_id,)
        )
        return [decode(row[0]) for row in rows]

    def jobs(self) -> Sequence[str]:
        """Return all jobs that were ever asked for."""
        return [row[0] for row in self._database.query("SELECT DISTINCT job_id FROM orders")]
