"""Django's database settings: SQLite in a file by default, PostgreSQL by address."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import PostgresDsn

BUSY_SECONDS = 30

# WAL: readers do not wait for the writer. FULL: what was committed survives a power failure;
# the message is deleted from the queue right after, so nobody could say it again.
_PRAGMAS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"


def sqlite(path: Path) -> dict[str, Any]:
    """Return the settings of a SQLite file that several processes write to.

    IMMEDIATE takes the write lock when a transaction begins: one that reads first and writes
    later would fail at once, without waiting, if another one wrote in between.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": BUSY_SECONDS,
            "transaction_mode": "IMMEDIATE",
            "init_command": _PRAGMAS,
        },
    }


def postgresql(url: PostgresDsn) -> dict[str, Any]:
    """Return the settings of a PostgreSQL database; query parameters become libpq options."""
    host = url.hosts()[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote((url.path or "").lstrip("/")),
        "USER": unquote(host["username"] or ""),
        "PASSWORD": unquote(host["password"] or ""),
        "HOST": host["host"] or "",
        "PORT": str(host["port"] or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {name: str(value) for name, value in url.query_params()},
    }
