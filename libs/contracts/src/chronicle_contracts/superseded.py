"""Versions of events that nobody writes any more, and how each is lifted to the next.

A model stays here as it was when its version was superseded, for as long as a log, a store or a
queue may hold one of its messages: for good. An upcaster is total: whatever the old model
accepts, it lifts. See docs/evolving-events.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from pydantic import Field

from chronicle_contracts.fact import Fact
from chronicle_contracts.recorder import (
    Checksum,
    Completeness,
    Gap,
    MediaInfo,
    RunFact,
    Uploaded,
    share_kept,
)


class UploadedV1(RunFact, publisher="recorder", name="Uploaded"):
    """The recording is whole in the store and was verified there."""

    key: str = Field(description="of the recording in the store")
    size: int = Field(ge=0, description="bytes")
    checksum: Checksum = Field(description="of the whole object")
    etag: str | None = Field(default=None, description="as the store gave it")
    duration: float = Field(ge=0, description="seconds, as probed")
    media: MediaInfo = Field(default=MediaInfo(), description="what it is made of")
    gaps: tuple[Gap, ...] = Field(default=(), description="what is missing")


def _uploaded_v2(fact: UploadedV1) -> Uploaded:
    """Judge completeness by what version 1 said: its duration and its gaps."""
    missing = min(sum(gap.seconds for gap in fact.gaps), sys.float_info.max)
    return Uploaded(
        **_carried(fact, Uploaded),
        completeness=Completeness(
            score=share_kept(fact.duration, missing), missing_seconds=missing, verified=False
        ),
    )


def _carried(old: Fact, new: type[Fact]) -> dict[str, Any]:
    """Return the old fields, and what else the message held under names that are still free."""
    unknown = {k: v for k, v in (old.model_extra or {}).items() if k not in new.model_fields}
    return unknown | {name: getattr(old, name) for name in type(old).model_fields}


LIFTS: Mapping[str, Callable[[Fact], Fact]] = {
    UploadedV1.TYPE: cast("Callable[[Fact], Fact]", _uploaded_v2),
}
