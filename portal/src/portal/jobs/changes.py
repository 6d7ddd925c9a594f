"""What each event of a job changed: the states before and after it, field by field.

It is the projection's own fold that is watched, in canonical order. Heartbeats and other
progress that follow one another in a stream are one entry: how many they were, and what the
newest of them changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chronicle_contracts import Event
from pydantic import BaseModel, TypeAdapter

from portal.eventlog import history
from portal.eventlog.entry import Entry, Skipped
from portal.eventlog.progress import PROGRESS_TYPES
from portal.jobs.milestones import milestone, passed_over
from portal.jobs.order import canonical
from portal.jobs.projection import NAME, fold
from portal.jobs.state import JobState

# These change with every event and say nothing of it.
_UNTOLD = frozenset({"id", "timeline", "position", "updated_at"})

_JSON: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True)
class FieldChange:
    """A field by its path, as in `recording.size`; None where it was or is not there."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class EventChange:
    """An event, or a stretch of progress, and what it changed."""

    position: int
    first_position: int
    at: datetime
    type: str
    stream: str
    sequence: int
    what: str
    detail: str | None
    events: int
    changes: Sequence[FieldChange]


def changes_of(job_id: str) -> list[EventChange]:
    """Return the job's history, oldest first, with what each event changed.

    Empty where the log knows nothing of it; raises whatever keeps the history from being folded.
    """
    marks = history.skipped([job_id]).get(job_id, ())
    stretches = history.with_stretches(
        job_id, without=[mark.position for mark in marks if mark.concerns(NAME)]
    )
    entries = history.read([(one.position, one.envelope) for one in stretches])
    counts = {one.position: one for one in stretches}
    told = list(_told(canonical(entries), counts))
    return sorted([*told, *map(_skipped, marks)], key=_place(told)) if marks else told


def _told(ordered: Sequence[Entry], counts: Mapping[int, history.Stretch]) -> Iterator[EventChange]:
    state: JobState | None = None
    for entry in ordered:
        event, stretch = entry.event, counts[entry.position]
        before, state = state, fold(state, event, position=entry.position)
        what, detail = _words(event, entry.position, stretch.events)
        yield EventChange(
            position=entry.position,
            first_position=stretch.first_position,
            at=event.time,
            type=event.type,
            stream=event.stream,
            sequence=event.sequence,
            what=what,
            detail=detail,
            events=stretch.events,
            changes=list(between(before, state)),
        )


def between(before: JobState | None, after: JobState) -> Iterator[FieldChange]:
    """Yield the fields that differ; those of a part, e.g. of the recording, each by itself."""
    for name in JobState.model_fields:
        old = getattr(before, name) if before is not None else None
        new = getattr(after, name)
        if name in _UNTOLD or old is new or old == new:
            continue
        if not new and before is None:
            continue  # nothing became of nothing
        one, other = _flat(name, old), _flat(name, new)
        for field in one | other:
            if one.get(field) != other.get(field):
                yield FieldChange(field, one.get(field), other.get(field))


def _flat(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        parts = value.model_dump(mode="json")
        return {f"{name}.{part}": one for part, one in parts.items() if one is not None}
    return {} if value is None else {name: _JSON.dump_python(value, mode="json")}


def _words(event: Event, position: int, events: int) -> tuple[str, str | None]:
    if event.type in PROGRESS_TYPES:
        name = event.type.split(".")[2]
        return (f"{name}, {events} times" if events > 1 else name), None
    line = milestone(event, position)
    return (line.what, line.detail) if line else (event.type, None)


def _skipped(mark: Skipped) -> EventChange:
    line = passed_over(mark)
    return EventChange(
        position=mark.position,
        first_position=mark.position,
        at=mark.at,
        type=mark.type,
        stream="",
        sequence=0,
        what=line.what,
        detail=line.detail,
        events=1,
        changes=(),
    )


def _place(told: Sequence[EventChange]) -> Any:
    """Return a sort key: told events stay in their order, others go in by their time."""
    order = {one.position: number for number, one in enumerate(told)}

    def key(one: EventChange) -> tuple[int, int]:
        if one.position in order:
            return (order[one.position], 1)
        before = sum(1 for other in told if other.at <= one.at)
        return (before, 0)

    return key
