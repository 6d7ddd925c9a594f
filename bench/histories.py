"""Histories for benchmarks of the event log: many jobs that record side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chronicle_contracts import Event

from tests.fixtures.story import Story

SIDE_BY_SIDE = 100
HEARTBEATS = 20  # of each of a job's two runs


def side_by_side(number: int, *, name: str = "job") -> Iterator[Event]:
    """Yield events as they arrive while a hundred jobs record, each from request to seeding."""
    begun = 0
    open_jobs: deque[deque[Event]] = deque()
    for _ in range(number):
        if len(open_jobs) < SIDE_BY_SIDE:
            story = Story.whole(f"{name}-{begun:06}", heartbeats=HEARTBEATS)
            open_jobs.append(deque(story.events))
            begun += 1
        job = open_jobs.popleft()
        yield job.popleft()
        if job:
            open_jobs.append(job)
