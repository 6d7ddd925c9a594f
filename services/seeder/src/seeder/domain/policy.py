"""How long a torrent is offered: limits of ratio, idleness, age and total size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from seeder.domain.seed import Seed, State

WhyLimited = Literal["ratio", "idle", "age", "space"]


@dataclass(frozen=True)
class Limits:
    """What None means: without limit. `pinned` jobs are never stopped by a limit."""

    ratio: float | None = None
    idle: timedelta | None = None
    age: timedelta | None = None
    total_bytes: int | None = None
    pinned: frozenset[str] = frozenset()

    def why_to_stop(self, seed: Seed, now: datetime) -> WhyLimited | None:
        """Return which limit a seed has reached by itself."""
        if seed.state is not State.SEEDING or seed.torrent is None or seed.job_id in self.pinned:
            return None
        size = seed.torrent.size
        if self.ratio is not None and seed.uploaded >= self.ratio * size:
            return "ratio"
        if self.age is not None and seed.started_at and now - seed.started_at >= self.age:
            return "age"
        if self.idle is not None and seed.moved_at and now - seed.moved_at >= self.idle:
            return "idle"
        return None

    def over_total(self, seeds: Iterable[Seed]) -> list[Seed]:
        """Return the seeds to stop so that the rest fits: those that moved longest ago first."""
        seeding = [seed for seed in seeds if seed.state is State.SEEDING and seed.torrent]
        if self.total_bytes is None:
            return []
        over = sum(_size(seed) for seed in seeding) - self.total_bytes
        chosen: list[Seed] = []
        for seed in sorted(seeding, key=_moved):
            if over <= 0:
                break
            if seed.job_id not in self.pinned:
                chosen.append(seed)
                over -= _size(seed)
        return chosen


def _size(seed: Seed) -> int:
    return seed.torrent.size if seed.torrent else 0


def _moved(seed: Seed) -> tuple[datetime, str]:
    assert seed.moved_at is not None  # it is seeding, so it has started
    return seed.moved_at, seed.job_id
