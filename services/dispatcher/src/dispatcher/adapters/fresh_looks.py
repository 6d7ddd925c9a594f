"""What looks at URLs have found, kept for the launches that follow them at once.

In memory alone: addresses and cookies are secrets of the job.
"""

from __future__ import annotations

import threading

from chronicle_contracts.portal import JobRequested
from chronicle_sources import Resolution
from chronicle_sources.handover import Handover

from dispatcher.ports import Clock


class FreshLooks:
    """The newest look of each request; given out once, and forgotten when it is stale."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looks: dict[str, tuple[JobRequested, Handover]] = {}

    def put(self, request: JobRequested, found: Resolution) -> None:
        """Keep what was just found."""
        now = self._clock.now()
        with self._lock:
            # What nobody came for: the job waits for a place, or is another dispatcher's.
            kept = {key: one for key, one in self._looks.items() if one[1].is_fresh(now)}
            self._looks = kept | {request.key: (request, Handover(at=now, found=found))}

    def take(self, request: JobRequested) -> Handover | None:
        """Return the look of exactly this request, where there is a fresh one."""
        with self._lock:
            asked, look = self._looks.pop(request.key, (None, None))
        is_good = look is not None and asked == request and look.is_fresh(self._clock.now())
        return look if is_good else None
