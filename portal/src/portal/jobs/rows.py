"""The row of a job's state, and the state of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from portal.jobs.models import Job
from portal.jobs.state import JobState
from portal.projections.projection import Row, json_of
from portal.projections.tables import table_of

_JSON = ("waiting", "progress", "media", "recording", "torrent", "error", "gaps", "timeline")
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(get_type_hints(JobState)[name]) for name in _JSON
}
_PLAIN = tuple(name for name in JobState.model_fields if name not in _ADAPTERS)


def rows(_job_id: str, state: JobState) -> Sequence[Row]:
    """Return the one row of a job."""
    row: dict[str, Any] = {name: getattr(state, name) for name in _PLAIN}
    for name, adapter in _ADAPTERS.items():
        row[name] = json_of(adapter, getattr(state, name))
    return (row,)


def row_of(state: JobState) -> Job:
    """Return the row of a state, not saved."""
    table = table_of(Job, "id")
    (row,) = rows(state.id, state)
    made = table.instance(table.prepared(row))
    assert isinstance(made, Job)
    return made


def state_of(row: Job) -> JobState:
    """Return the state that a row was written from."""
    return JobState.model_validate({name: getattr(row, name) for name in JobState.model_fields})
