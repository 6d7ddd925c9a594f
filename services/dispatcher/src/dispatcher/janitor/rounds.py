"""The janitor's rounds: what was found, what was removed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from chronicle_storage import StoreError

from dispatcher.janitor.leftover import Fate, Leftover
from dispatcher.ports import Clock

log = structlog.get_logger(__name__)


class Place(Protocol):
    """Where things are left: `machine.Machine`, `stored.Stored`."""

    def find(self, now: datetime) -> Iterator[Leftover]:
        """Yield what is left."""

    def remove(self, leftover: Leftover) -> bool:
        """Remove it; False where it may not be any more."""


@dataclass(frozen=True)
class Found:
    """A leftover, and whether it is gone now."""

    leftover: Leftover
    is_removed: bool


class Janitor:
    """Goes through all places; a place that fails does not keep it from the others."""

    def __init__(self, places: Sequence[Place], clock: Clock) -> None:
        self._places = places
        self._clock = clock

    def round(self, *, may_remove: Callable[[Leftover], bool]) -> list[Found]:
        """Find everything, remove what may be; log each."""
        return [one for place in self._places for one in self._look(place, may_remove)]

    def _look(self, place: Place, may_remove: Callable[[Leftover], bool]) -> Iterator[Found]:
        try:
            for leftover in place.find(self._clock.now()):
                is_removed = may_remove(leftover) and place.remove(leftover)
                log.warning(
                    "leftover_removed" if is_removed else "leftover_found",
                    kind=leftover.kind,
                    name=leftover.name,
                    job_id=leftover.job_id,
                    fate=leftover.fate.value,
                    since=leftover.since.isoformat(),
                    bytes=leftover.size,
                )
                yield Found(leftover, is_removed)
        except (StoreError, OSError) as error:
            log.warning("janitor_kept_out", place=type(place).__name__, error=str(error))


def what_is_over(leftover: Leftover) -> bool:
    """Allow to remove what nobody can want; never media, and nothing of unknown jobs."""
    return leftover.fate is Fate.REMOVE


def media_too(leftover: Leftover) -> bool:
    """Allow to remove what was recorded for jobs that were given up, too."""
    return leftover.fate in {Fate.REMOVE, Fate.MEDIA}


class Rounds:
    """A round every so many seconds, the first one after as many."""

    def __init__(self, janitor: Janitor, *, every: float) -> None:
        self._janitor = janitor
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Go round until `stop` is set."""
        while not stop.wait(self._every):
            try:
                self._janitor.round(may_remove=what_is_over)
            except Exception:
                log.exception("janitor_failed")
