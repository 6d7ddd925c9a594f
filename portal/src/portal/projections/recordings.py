"""The projection of recordings: what is whole in the store, and how whole it is."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chronicle_contracts import Event, Fact
from chronicle_contracts import dispatcher as d
from chronicle_contracts import recorder as r
from chronicle_contracts.portal import RecordingDeleted
from pydantic import TypeAdapter

from portal.projections.losses import has_losses
from portal.projections.projection import Part, Row, json_of


class RecordingState(Part):
    """A recording on its way; it has a row once it was uploaded."""

    title: str | None = None
    site: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None
    attempts: int = 0
    uploaded: r.Uploaded | None = None
    uploaded_at: datetime | None = None
    deleted_at: datetime | None = None


def fold(
    state: RecordingState | None,
    event: Event,
    *,
    position: int = 0,  # noqa: ARG001 (a fold is called so)
) -> RecordingState | None:
    """Return the state after one more event."""
    return _after(event.data, state or RecordingState(), event)


@functools.singledispatch
def _after(_fact: Fact, state: RecordingState, _event: Event) -> RecordingState:
    return state


@_after.register
def _(fact: d.JobAccepted, state: RecordingState, _event: Event) -> RecordingState:
    return state.having(title=fact.title or state.title, site=fact.site or state.site)


@_after.register
def _(fact: r.RecordingStarted, state: RecordingState, event: Event) -> RecordingState:
    return state.having(
        title=fact.title or state.title,
        started_at=state.started_at or event.time,
        attempts=max(state.attempts, fact.attempt),
    )


@_after.register
def _(fact: r.RecordingEnded, state: RecordingState, event: Event) -> RecordingState:
    if state.uploaded is not None:
        return state
    return state.having(ended_at=event.time, end=fact.why)


@_after.register
def _(fact: r.Uploaded, state: RecordingState, event: Event) -> RecordingState:
    return state.having(
        uploaded=fact,
        uploaded_at=event.time,
        deleted_at=None,
        attempts=max(state.attempts, fact.attempt),
    )


@_after.register
def _(_fact: RecordingDeleted, state: RecordingState, event: Event) -> RecordingState:
    return state.having(deleted_at=event.time) if state.uploaded is not None else state


_CHECKSUM: TypeAdapter[Any] = TypeAdapter(r.Checksum)
_MEDIA: TypeAdapter[Any] = TypeAdapter(r.MediaInfo)
_GAPS: TypeAdapter[Any] = TypeAdapter(tuple[r.Gap, ...])
_COMPLETENESS: TypeAdapter[Any] = TypeAdapter(r.Completeness)


def rows(job_id: str, state: RecordingState) -> Sequence[Row]:
    """Return the row of a recording that was uploaded."""
    fact = state.uploaded
    if fact is None:
        return ()
    return (
        {
            "job_id": job_id,
            "title": state.title,
            "site": state.site,
            "key": fact.key,
            "size": fact.size,
            "duration": fact.duration,
            "score": fact.completeness.score,
            "missing_seconds": fact.completeness.missing_seconds,
            "losses": has_losses(fact.gaps, fact.completeness),
            "verified": fact.completeness.verified,
            "manifest_key": fact.manifest_key,
            "end": state.end,
            "attempts": state.attempts,
            "started_at": state.started_at,
            "ended_at": state.ended_at,
            "uploaded_at": state.uploaded_at,
            "deleted_at": state.deleted_at,
            "checksum": json_of(_CHECKSUM, fact.checksum),
            "media": json_of(_MEDIA, fact.media),
            "gaps": json_of(_GAPS, fact.gaps),
            "completeness": json_of(_COMPLETENESS, fact.completeness),
        },
    )
