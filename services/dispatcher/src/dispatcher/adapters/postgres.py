"""The dispatcher's tables in PostgreSQL, in the database of its event store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import psycopg

from dispatcher.adapters.database import ADDED, SCHEMA, Parameters, Row

T = TypeVar("T")

# So that two dispatchers that start at once do not create the same table at once.
_SCHEMA_LOCK = 0x6368726F  # any number that nothing else in this database locks


class PostgresDatabase:
    """One connection, made anew when the server has closed it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._options: dict[str, Any] = {
            "dbname": env["POSTGRES_DBNAME"],
            "host": env["POSTGRES_HOST"],
            "port": env.get("POSTGRES_PORT") or "5432",
            "user": env["POSTGRES_USER"],
            "password": env.get("POSTGRES_PASSWORD"),
        }
        if schema := env.get("POSTGRES_SCHEMA"):
            self._options["options"] = f"-c search_path={schema}"
        self._connection = self._connect()
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            for statement in SCHEMA:
                self._connection.execute(statement.encode())
            for table, column, kind in ADDED:
                self._connection.execute(
                    f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}".encode()
                )

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement and return how many rows it changed."""
        return self._run(lambda one: one.execute(statement.encode(), parameters).rowcount)

    def query(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Run a statement and return its rows."""
        return self._run(lambda one: one.execute(statement.encode(), parameters).fetchall())

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._connection.close()

    def _connect(self) -> psycopg.Connection[Row]:
        return psycopg.connect(**self._options, autocommit=True)

    def _run(self, act: Callable[[psycopg.Connection[Row]], T]) -> T:
        with self._lock:
            try:
                return act(self._connection)
            except psycopg.OperationalError:
                # Every statement here may run twice: all of them are upserts or reads.
                self._connection.close()
                self._connection = self._connect()
                return act(self._connection)
