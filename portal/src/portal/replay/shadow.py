"""Tables beside the one that everybody reads: made, filled, swapped, dropped.

Each has the columns of `portal.jobs.models.Job` and a name of its own for ever. Django derives
the names of indexes from the name of their table, so no two tables' indexes collide when a
table has become another one (index names are global in a PostgreSQL schema). Nothing refers to
these tables, so a rename moves nothing else.
"""

from __future__ import annotations

import functools
from typing import cast

from django.apps.registry import Apps
from django.db import connection, models

from portal.jobs.models import Job

LIVE = Job._meta.db_table

# A swap gives up a lock that it does not get at once: readers queue behind who waits for it.
_LOCK_WAIT = "300ms"


@functools.cache
def model_of(table: str) -> type[Job]:
    """Return a model like `Job` over another table; no app knows it."""

    class Meta:
        app_label = "jobs"
        db_table = table
        apps = Apps()

    fields = {field.name: field.clone() for field in Job._meta.local_fields}
    made = type("Job", (models.Model,), {"__module__": __name__, "Meta": Meta, **fields})
    return cast("type[Job]", made)


def create(table: str) -> None:
    """Make an empty table; one of that name that an earlier attempt left is dropped."""
    drop(table)
    # Collected and not executed: SQLite's editor refuses to work inside a transaction, for the
    # sake of foreign keys, of which there are none.
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    editor.deferred_sql = []
    editor.create_model(model_of(table))
    with connection.cursor() as cursor:
        for statement in [*editor.collected_sql, *map(str, editor.deferred_sql)]:
            cursor.execute(statement)


def drop(table: str) -> None:
    """Drop a table, if it is there."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")


def exists(table: str) -> bool:
    """Return whether there is a table."""
    return table in connection.introspection.table_names()


def has_our_columns(table: str) -> bool:
    """Return whether a table has the columns of this version's model, no more and no less."""
    with connection.cursor() as cursor:
        there = connection.introspection.get_table_description(cursor, table)
    return {column.name for column in there} == {one.column for one in Job._meta.local_fields}


def show(table: str, *, instead_as: str) -> None:
    """Make a table the one that everybody reads; that one gets the name `instead_as`.

    Call it in the transaction that holds the log's lock. On PostgreSQL it raises
    `OperationalError` where long readers keep the table: try again.
    """
    name = connection.ops.quote_name
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
        cursor.execute(f"ALTER TABLE {name(LIVE)} RENAME TO {name(instead_as)}")
        cursor.execute(f"ALTER TABLE {name(table)} RENAME TO {name(LIVE)}")
