"""The tables that the dispatcher keeps beside its event store: one dialect for two databases.

SQLite is the default; PostgreSQL where eventsourcing's own variables choose it. Statements use
`%s` for parameters and only what both understand (`INSERT ... ON CONFLICT`).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]
Parameters = Sequence[str | int | float | None]

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS heard (
        run_id TEXT PRIMARY KEY,
        job_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        phase TEXT,
        media_seconds DOUBLE PRECISION NOT NULL,
        bytes_durable BIGINT NOT NULL,
        interrupted INTEGER NOT NULL,
        moved_at DOUBLE PRECISION NOT NULL,
        heard_at DOUBLE PRECISION NOT NULL,
        sealed INTEGER NOT NULL,
        final_type TEXT,
        code TEXT,
        detail TEXT,
        media_first DOUBLE PRECISION
    )""",
    "CREATE INDEX IF NOT EXISTS heard_job ON heard (job_id)",
    """CREATE TABLE IF NOT EXISTS orders (
        job_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (job_id, sequence)
    )""",
    """CREATE TABLE IF NOT EXISTS places (
        place INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE IF NOT EXISTS looks (
        job_id TEXT PRIMARY KEY,
        looked_at DOUBLE PRECISION NOT NULL,
        not_yet_at DOUBLE PRECISION,
        troubled_since DOUBLE PRECISION
    )""",
)

# Columns that tables of earlier versions lack: table, column, type.
ADDED = (("heard", "media_first", "DOUBLE PRECISION"),)


class Database(Protocol):
    """Runs one statement at a time, each its own transaction; threads may share it."""

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it changed."""

    def query(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement and return its rows."""

    def close(self) -> None:
        """Give the connection back."""


class SqliteDatabase:
    """One SQLite file in WAL mode, which other processes may write to as well."""

    BUSY_TIMEOUT = 30.0  # seconds

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=self.BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._add_columns()

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it changed."""
        with self._lock:
            return self._connection.execute(statement.replace("%s", "?"), parameters).rowcount

    def query(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement and return its rows."""
        with self._lock:
            return self._connection.execute(statement.replace("%s", "?"), parameters).fetchall()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._connection.close()

    def _add_columns(self) -> None:
        for table, column, kind in ADDED:
            known = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            if column not in known:
                with contextlib.suppress(sqlite3.OperationalError):  # another was quicker
                    self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def open_database(env: Mapping[str, str]) -> Database:
    """Open the database that the event store's variables name, and create the tables there."""
    if env.get("PERSISTENCE_MODULE") == "eventsourcing.postgres":
        # Only here: one machine needs no PostgreSQL driver.
        from dispatcher.adapters.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(env)
    return SqliteDatabase(env["SQLITE_DBNAME"])
