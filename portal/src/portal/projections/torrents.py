"""The projection of torrents: of which recording, offered by whom, how it goes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from chronicle_contracts import Event, Fact
from chronicle_contracts import seeder as s
from pydantic import TypeAdapter

from portal.projections.projection import Part, Row, json_of


class TorrentState(Part):
    """A torrent; only `state`, `recording_key` and `error` are set where none could be made."""

    state: Literal["created", "seeding", "stopped", "failed"]
    info_hash: str | None = None
    name: str | None = None
    recording_key: str | None = None
    key: str | None = None
    magnet: str | None = None
    size: int | None = None
    piece_length: int | None = None
    trackers: tuple[str, ...] = ()
    web_seeds: tuple[str, ...] = ()
    engine: str | None = None
    uploaded: int | None = None
    ratio: float | None = None
    peers: int | None = None
    created_at: datetime | None = None
    seeding_since: datetime | None = None
    stopped_at: datetime | None = None
    why_stopped: str | None = None
    heard_at: datetime | None = None
    error_code: str | None = None
    error_detail: str | None = None


def fold(
    state: TorrentState | None,
    event: Event,
    *,
    position: int = 0,  # noqa: ARG001 (a fold is called so)
) -> TorrentState | None:
    """Return the state after one more event; None while the seeder has said nothing."""
    return _after(event.data, state, event)


@functools.singledispatch
def _after(_fact: Fact, state: TorrentState | None, _event: Event) -> TorrentState | None:
    return state


@_after.register
def _(fact: s.TorrentCreated, _state: TorrentState | None, event: Event) -> TorrentState:
    return TorrentState(
        state="created",
        info_hash=fact.info_hash,
        name=fact.name,
        recording_key=fact.recording_key,
        key=fact.key,
        magnet=fact.magnet,
        size=fact.size,
        piece_length=fact.piece_length,
        trackers=fact.trackers,
        web_seeds=fact.web_seeds,
        created_at=event.time,
        heard_at=event.time,
    )


@_after.register
def _(fact: s.SeedingStarted, state: TorrentState | None, event: Event) -> TorrentState:
    return _known(state, fact.info_hash).having(
        state="seeding",
        engine=fact.engine,
        seeding_since=event.time,
        stopped_at=None,
        why_stopped=None,
        heard_at=event.time,
    )


@_after.register
def _(fact: s.SeedingProgress, state: TorrentState | None, event: Event) -> TorrentState:
    return _known(state, fact.info_hash).having(
        uploaded=fact.uploaded,
        ratio=fact.ratio,
        peers=fact.peers,
        heard_at=event.time,
    )


@_after.register
def _(fact: s.SeedingStopped, state: TorrentState | None, event: Event) -> TorrentState:
    return _known(state, fact.info_hash).having(
        state="stopped",
        stopped_at=event.time,
        why_stopped=fact.why,
        heard_at=event.time,
    )


@_after.register
def _(fact: s.TorrentFailed, _state: TorrentState | None, event: Event) -> TorrentState:
    return TorrentState(
        state="failed",
        recording_key=fact.recording_key,
        error_code=fact.code,
        error_detail=fact.detail,
        heard_at=event.time,
    )


def _known(state: TorrentState | None, info_hash: str) -> TorrentState:
    return state or TorrentState(state="created", info_hash=info_hash)


_LINES: TypeAdapter[Any] = TypeAdapter(tuple[str, ...])
_PLAIN = tuple(name for name in TorrentState.model_fields if name not in {"trackers", "web_seeds"})


def rows(job_id: str, state: TorrentState) -> Sequence[Row]:
    """Return the row of a torrent."""
    values = {name: getattr(state, name) for name in _PLAIN}
    return (
        {
            **values,
            "job_id": job_id,
            "trackers": json_of(_LINES, state.trackers),
            "web_seeds": json_of(_LINES, state.web_seeds),
        },
    )
