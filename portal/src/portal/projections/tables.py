"""Rows into tables: those of a job are replaced together, in bulk, by the same code everywhere.

Live and rebuild, both write through `Table.replace`, so that equal states make equal bytes.
It goes past the ORM: Django prepares a value of a row in microseconds, and a rebuild has
millions of them.
"""

from __future__ import annotations

import functools
import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, models

from portal.projections.projection import Row

Values = tuple[Any, ...]

_JSON_NUL = "\\u0000"


class Table:
    """A table of a projection: the one that everybody reads, or one that is being built."""

    def __init__(self, model: type[models.Model], job_column: str) -> None:
        self.model = model
        self.job_column = job_column
        self.name: str = model._meta.db_table
        self.columns = [field.attname for field in model._meta.local_fields]
        self.key = model._meta.pk.attname
        self._prepare = [_preparation(field) for field in model._meta.local_fields]

    def prepared(self, row: Row) -> Values:
        """Return a row as the database takes it; raises `ValueError` for what it cannot hold."""
        return tuple(
            prepare(row[name]) for name, prepare in zip(self.columns, self._prepare, strict=True)
        )

    def instance(self, values: Values) -> models.Model:
        """Return a prepared row as an object of the model, not saved."""
        return self.model.from_db(
            "default",
            self.columns,
            [
                _read_back(field, value)
                for field, value in zip(self.model._meta.local_fields, values, strict=True)
            ],
        )

    def replace(self, jobs: Collection[str], rows: Sequence[Values]) -> None:
        """Let these prepared rows be all that the table has of these jobs."""
        if not jobs:
            return
        with connection.cursor() as cursor:
            self._delete(cursor, jobs)
            if not rows:
                return
            columns = ", ".join(map(_quoted, self.columns))
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {_quoted(self.name)} ({columns}) FROM STDIN") as copy:
                    for values in rows:
                        copy.write_row(values)
            else:
                holders = ", ".join(["%s"] * len(self.columns))
                into = f"INSERT INTO {_quoted(self.name)} ({columns}) VALUES ({holders})"  # noqa: S608
                cursor.executemany(into, rows)

    def by_job(self, jobs: Collection[str]) -> dict[str, list[models.Model]]:
        """Return the rows of these jobs by job."""
        chosen = self.model._default_manager.filter(**{f"{self.job_column}__in": list(jobs)})
        found: dict[str, list[models.Model]] = defaultdict(list)
        for row in chosen.order_by(self.key):
            found[getattr(row, self.job_column)].append(row)
        return found

    def _delete(self, cursor: Any, jobs: Collection[str]) -> None:
        of_jobs = f"DELETE FROM {_quoted(self.name)} WHERE {_quoted(self.job_column)}"  # noqa: S608 (our own names)
        if connection.vendor == "postgresql":
            cursor.execute(f"{of_jobs} = ANY(%s)", [list(jobs)])  # one parameter, however many
        else:
            holders = ", ".join(["%s"] * len(jobs))
            cursor.execute(f"{of_jobs} IN ({holders})", list(jobs))


@functools.cache
def table_of(model: type[models.Model], job_column: str) -> Table:
    """Return the table of a model."""
    return Table(model, job_column)


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _preparation(field: Any) -> Callable[[Any], Any]:
    """Return how a value of a column is made what the database takes."""
    if isinstance(field, models.IntegerField):
        low, high = connection.ops.integer_field_range(field.get_internal_type())
        return functools.partial(_integer, field.attname, low, high)
    if isinstance(field, models.CharField | models.TextField):
        return functools.partial(_text, field.attname, field.max_length)
    if isinstance(field, models.FloatField):
        return functools.partial(_number, field.attname)
    if isinstance(field, models.JSONField):
        return _json
    if connection.vendor == "sqlite" and isinstance(field, models.DateField):
        return _moment if isinstance(field, models.DateTimeField) else _day
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _json(value: str | None) -> str | None:
    """PostgreSQL keeps no NUL in JSON, wherever it is."""
    if value is None or _JSON_NUL not in value:
        return value
    return json.dumps(_without_nul(json.loads(value)), ensure_ascii=False, separators=(",", ":"))


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(one) for name, one in value.items()}
    return value


def _moment(value: datetime | None) -> str | None:
    """SQLite has no times: Django reads them as text, in UTC."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))


def _day(value: date | None) -> str | None:
    return None if value is None else str(value)


def _text(name: str, longest: int | None, value: str | None) -> str | None:
    if value is None:
        return None
    if longest is not None and len(value) > longest:
        raise ValueError(f"{name} has {len(value)} characters, the table holds {longest}")
    text = str(value)
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in text else text


def _integer(name: str, low: int, high: int, value: int | None) -> int | None:
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} is {value}, the table holds {low} to {high}")
    return value


def _number(name: str, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{name} is {value}, which is no number")
    return value


def _read_back(field: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(field, models.JSONField):
        return json.loads(value)
    if isinstance(value, str) and isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(value, str) and isinstance(field, models.DateField):
        return date.fromisoformat(value)
    return value
