"""What is joined, on its way into the store: saved while it is written, so the disk stays free."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from chronicle_storage import GrowingObject, StoreError, StoreRefused, StoreUnreachable

from recorder.adapters.media.joining import Joined, Source, join

log = structlog.get_logger(__name__)

MOST_UNSAVED = 64 * 1024 * 1024  # bytes on the disk that the store has not
PATIENCE = 300.0  # seconds for a store that takes nothing, with the disk full up to there
PAUSE = 1.0  # seconds


def join_into(grown: GrowingObject, sources: Sequence[Source]) -> Joined:
    """Join files into a growing object; begins anew, whatever is there of an earlier time.

    Raises `CannotJoin`, `StoreError`, `OSError`; then nothing of it is left.
    """
    grown.discard()
    try:
        with grown.path.open("wb", buffering=1024 * 1024) as target:
            return join(sources, target, saved=lambda: _save(grown))
    except BaseException:
        with suppress(StoreError):
            grown.discard()
        raise


def _save(grown: GrowingObject) -> None:
    """Flush; where the store takes nothing, wait once there is enough that it has not."""
    give_up_at = time.monotonic() + PATIENCE
    pause = PAUSE
    while True:
        try:
            grown.flush()
        except StoreRefused:
            raise
        except StoreUnreachable as error:
            unsaved = grown.path.stat().st_size - grown.durable
            if unsaved < MOST_UNSAVED:
                return
            if time.monotonic() > give_up_at:
                raise
            log.warning("join_waits_for_the_store", error=str(error), unsaved=unsaved)
            time.sleep(pause)
            pause = min(30.0, 2 * pause)
        else:
            return
