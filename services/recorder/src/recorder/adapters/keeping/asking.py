"""Asking a store what a recording stands on: its answer is worth a moment's wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from chronicle_storage import StoreUnreachable

log = structlog.get_logger(__name__)

R = TypeVar("R")

# Seconds. Without the answer nobody knows where to go on: the next attempt begins where the
# source is by then. But what a source offers of its past is often no longer than half a minute.
PATIENCE = 5.0
PAUSE = 0.5


def patiently(question: Callable[[], R]) -> R:
    """Return the store's answer; one that is away is asked again for a moment.

    Raises what the last question raises (`StoreError`).
    """
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            return question()
        except StoreUnreachable as error:
            if time.monotonic() + PAUSE > give_up_at:
                raise
            log.warning("store_is_asked_again", error=str(error))
            time.sleep(PAUSE)
