"""Tables beside the ones that everybody reads: made, filled, swapped, dropped.

Each has the columns of a projection's model. Names of indexes are global in a schema, Django
derives them from the name of the table, and they stay when the table is renamed: so each table
is made under a name that no other one ever had, and then gets the one that it is known by.
Nothing refers to these tables, so a rename moves nothing else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast
from uuid import uuid4

from django.apps.registry import Apps
from django.db import connection, models

from portal.projections.projection import Projection
from portal.projections.registry import PROJECTIONS
from portal.projections.tables import Table

# A swap gives up a lock that it does not get at once: readers queue behind who waits for it.
_LOCK_WAIT = "300ms"


@functools.cache
def model_of(model: type[models.Model], table: str) -> type[models.Model]:
    """Return a model like another one over another table; no app knows it."""
    return _like(model, table)


def _like(model: type[models.Model], table: str) -> type[models.Model]:
    class Meta:
        app_label = model._meta.app_label
        db_table = table
        apps = Apps()

    fields = {field.name: field.clone() for field in model._meta.local_fields}
    made = type(model.__name__, (models.Model,), {"__module__": __name__, "Meta": Meta, **fields})
    return cast("type[models.Model]", made)


def table_of(projection: Projection, name: str) -> Table:
    """Return a table of a projection under another name."""
    return Table(model_of(projection.model, name), projection.job_column)


def create(projection: Projection, name: str) -> None:
    """Make an empty table; one of that name that an earlier attempt left is dropped."""
    drop(name)
    # Collected and not executed: SQLite's editor refuses to work inside a transaction, for the
    # sake of foreign keys, of which there are none.
    editor = connection.schema_editor(collect_sql=True, atomic=False)
    editor.deferred_sql = []
    unique = f"{name}_{uuid4().hex[:8]}"
    editor.create_model(_like(projection.model, unique))
    with connection.cursor() as cursor:
        for statement in [*editor.collected_sql, *map(str, editor.deferred_sql)]:
            cursor.execute(statement)
        cursor.execute(_rename(unique, name))


def drop(name: str) -> None:
    """Drop a table, if it is there."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)}")


def drop_all() -> None:
    """Drop the tables of all builds but those that everybody reads."""
    ours = "|".join(re.escape(one.table) for one in PROJECTIONS)
    for name in connection.introspection.table_names():
        if re.fullmatch(rf"({ours})_b\d+", name):
            drop(name)


def exists(name: str) -> bool:
    """Return whether there is a table."""
    return name in connection.introspection.table_names()


def has_our_columns(projection: Projection, name: str) -> bool:
    """Return whether a table has the columns of this version's model, no more and no less."""
    with connection.cursor() as cursor:
        there = connection.introspection.get_table_description(cursor, name)
    ours = {one.column for one in projection.model._meta.local_fields}
    return {column.name for column in there} == ours


def show(tables: Mapping[str, str], *, instead_as: Mapping[str, str]) -> None:
    """Make tables the ones that everybody reads, by the names of those.

    What was read until then gets the names in `instead_as`. Call it in the transaction that
    holds the log's lock. On PostgreSQL it raises `OperationalError` where long readers keep a
    table: try again.
    """
    renames = [
        _rename(old, new)
        for live, built in tables.items()
        for old, new in ((live, instead_as[live]), (built, live))
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One message: a way there and back for each would be most of the time.
            cursor.execute("; ".join([f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'", *renames]))
        else:
            for rename in renames:
                cursor.execute(rename)


def _rename(old: str, new: str) -> str:
    name = connection.ops.quote_name
    return f"ALTER TABLE {name(old)} RENAME TO {name(new)}"


@contextmanager
def about_to_show() -> Iterator[None]:
    """Keep SQLite from tidying up its log of writes in the commit that others wait for.

    It is tidied up before and after. Call it outside of the transaction.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        cursor.execute("PRAGMA wal_autocheckpoint = 0").fetchone()
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA wal_autocheckpoint = {int(pages)}").fetchone()
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
