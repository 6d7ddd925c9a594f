"""The projection of service health: of each job, what its publishers said and owe.

Whether a publisher is silent is no fact but a question of now: who reads compares
`owes_since`, the time since which a word of it is due, with the clock.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chronicle_contracts import Event, Fact
from chronicle_contracts import dispatcher as d
from chronicle_contracts import portal as p
from chronicle_contracts import recorder as r
from chronicle_contracts import seeder as s

from portal.projections.projection import Part, Row

PUBLISHERS = ("portal", "dispatcher", "recorder", "seeder")


class Voice(Part):
    """What one publisher said of a job; `said` is the highest sequence of each stream."""

    heard_at: datetime | None = None
    said: Mapping[str, int] = {}
    open_runs: frozenset[str] = frozenset()
    run_id: str | None = None
    attempt: int | None = None
    phase: str | None = None
    media_seconds: float | None = None
    heartbeat_at: datetime | None = None
    owes_since: datetime | None = None


class Voices(Part):
    """The publishers of a job by name."""

    by_name: Mapping[str, Voice] = {}

    def of(self, publisher: str) -> Voice:
        """Return one of them."""
        return self.by_name.get(publisher) or _UNHEARD


_UNHEARD = Voice()

Changes = dict[str, dict[str, Any]]
"""What changes, by publisher."""


def fold(
    state: Voices | None,
    event: Event,
    *,
    position: int = 0,  # noqa: ARG001 (a fold is called so)
) -> Voices | None:
    """Return the voices after one more event."""
    voices = state or Voices()
    publisher = event.stream.partition("/")[0]
    before = voices.of(publisher)
    changes = _after(event.data, voices, event)
    own = changes.setdefault(publisher, {})
    own["said"] = {
        **before.said,
        event.stream: max(before.said.get(event.stream, 0), event.sequence),
    }
    if before.heard_at is None or before.heard_at < event.time:
        own["heard_at"] = event.time
    changed = {name: voices.of(name).having(**fields) for name, fields in changes.items()}
    return voices.having(by_name={**voices.by_name, **changed})


@functools.singledispatch
def _after(_fact: Fact, _voices: Voices, _event: Event) -> Changes:
    return {}


@_after.register(p.JobRequested)
@_after.register(p.RetryRequested)
@_after.register(d.JobAccepted)  # it owes a launch
def _(_fact: Fact, _voices: Voices, event: Event) -> Changes:
    return {"dispatcher": {"owes_since": event.time}}


@_after.register
def _(fact: d.JobDeferred, _voices: Voices, _event: Event) -> Changes:
    return {"dispatcher": {"owes_since": fact.until}}


@_after.register
def _(fact: d.RecorderLaunched, voices: Voices, event: Event) -> Changes:
    return {
        "dispatcher": {"owes_since": None},
        "recorder": {
            "open_runs": voices.of("recorder").open_runs | {fact.run_id},
            "run_id": fact.run_id,
            "attempt": fact.attempt,
            "owes_since": event.time,
        },
    }


@_after.register(d.RecorderLost)
@_after.register(d.LaunchFailed)
def _(fact: d.RecorderLost | d.LaunchFailed, voices: Voices, event: Event) -> Changes:
    # It owes another attempt, or the end.
    return {"dispatcher": {"owes_since": event.time}, "recorder": _run_over(voices, fact.run_id)}


@_after.register(d.JobRejected)
@_after.register(d.JobAbandoned)
def _(_fact: Fact, _voices: Voices, _event: Event) -> Changes:
    return {"dispatcher": {"owes_since": None}}


@_after.register
def _(fact: r.RunFact, voices: Voices, event: Event) -> Changes:
    recorder = voices.of("recorder")
    if event.sealed:
        changes: Changes = {"recorder": _run_over(voices, fact.run_id)}
        if isinstance(fact, r.Uploaded):
            changes["seeder"] = {"owes_since": event.time}
        return changes
    if fact.attempt < (recorder.attempt or 0):
        return {}
    told: dict[str, Any] = {"run_id": fact.run_id, "attempt": fact.attempt}
    if isinstance(fact, r.Heartbeat):
        told |= {
            "phase": fact.phase,
            "media_seconds": fact.media_seconds,
            "heartbeat_at": event.time,
        }
    if fact.run_id in recorder.open_runs:
        told["owes_since"] = event.time
    return {"recorder": told}


def _run_over(voices: Voices, run_id: str) -> dict[str, Any]:
    recorder = voices.of("recorder")
    left = recorder.open_runs - {run_id}
    return {"open_runs": left, "owes_since": recorder.owes_since if left else None}


@_after.register
def _(_fact: s.TorrentCreated, _voices: Voices, event: Event) -> Changes:
    return {"seeder": {"owes_since": event.time}}  # its seeding


@_after.register(s.SeedingStarted)
@_after.register(s.SeedingStopped)
@_after.register(s.TorrentFailed)
def _(_fact: Fact, _voices: Voices, _event: Event) -> Changes:
    return {"seeder": {"owes_since": None}}


_SHOWN = (
    *("heard_at", "run_id", "attempt", "phase"),
    *("media_seconds", "heartbeat_at", "owes_since"),
)


def rows(job_id: str, state: Voices) -> Sequence[Row]:
    """Return a row for each publisher that spoke of the job or owes a word."""
    return [
        {
            "id": f"{job_id}/{publisher}",
            "job_id": job_id,
            "publisher": publisher,
            "events": sum(voice.said.values()),
            "open_runs": len(voice.open_runs),
            **{name: getattr(voice, name) for name in _SHOWN},
        }
        for publisher, voice in sorted(state.by_name.items())
    ]
