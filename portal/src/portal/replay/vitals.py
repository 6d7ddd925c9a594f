"""Vitals: the few figures that tell whether the event backbone is well.

All but the queues' depths come from the portal's own database, and none reads the whole log
twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from chronicle_messaging import ENDPOINT_TROUBLE, Bus
from django.db.models import Count, Max
from django.utils import timezone

from portal.configuration import PortalSettings
from portal.eventlog.models import LoggedEvent, ParkedJob, RelayPosition, StoredEvent
from portal.jobs.models import Job
from portal.replay import gaps, queues
from portal.replay.models import Replay
from portal.replay.quarantine import undecided

log = structlog.get_logger(__name__)

# The lag is that of the newest events, and of none that are older: it says how it is now.
NEWEST = 200
RECENT = timedelta(minutes=5)
# A scrape must not wait for an endpoint that hangs; Prometheus itself waits ten seconds.
PATIENCE = 8.0  # seconds

_OPEN = (Replay.Outcome.QUEUED, Replay.Outcome.RUNNING)


@dataclass(frozen=True)
class Vitals:
    """How it is now; times in seconds.

    `lags` are those of the newest events, sorted: from what their publishers' clocks said to
    the log's, so that machines whose clocks disagree show it here. `unsaid` counts the
    portal's own events that no topic has confirmed.
    """

    position: int
    heard_at: datetime | None
    lags: tuple[float, ...]
    gaps: dict[str, int]
    quarantined: dict[str, int]
    parked: int
    unsaid: int
    jobs: dict[str, int]
    replays: dict[str, int]

    def lag(self, share: float) -> float | None:
        """Return the lag that this share of the newest events kept to; None where all is quiet."""
        if not self.lags:
            return None
        return self.lags[min(len(self.lags) - 1, int(len(self.lags) * share))]

    @property
    def is_well(self) -> bool:
        """True while nobody needs to look."""
        return not (self.gaps or self.quarantined or self.parked)


def look(now: datetime | None = None) -> Vitals:
    """Read the figures from the database."""
    now = now or timezone.now()
    newest = LoggedEvent.objects.order_by("-position").values_list(
        "position", "occurred_at", "received_at"
    )[:NEWEST]
    rows = list(newest)
    said = RelayPosition.objects.exclude(name__contains="#").aggregate(top=Max("notification_id"))
    stored = StoredEvent.objects.aggregate(top=Max("id"))
    lags = sorted(
        (received - occurred).total_seconds()
        for _, occurred, received in rows
        if received > now - RECENT
    )
    open_ones = Replay.objects.filter(outcome__in=_OPEN).order_by()
    return Vitals(
        position=rows[0][0] if rows else 0,
        heard_at=rows[0][2] if rows else None,
        lags=tuple(lags),
        gaps=dict(Counter(gap.kind for gap in gaps.find(now=now))),
        quarantined=dict(undecided().order_by().values_list("reason").annotate(number=Count("pk"))),
        parked=ParkedJob.objects.count(),
        unsaid=max(0, (stored["top"] or 0) - (said["top"] or 0)),
        jobs=dict(Job.objects.order_by().values_list("status").annotate(number=Count("pk"))),
        replays=dict(open_ones.values_list("outcome").annotate(number=Count("pk"))),
    )


class TypeCounts:
    """How many events of each type the log has; after the first look, only new ones are read.

    The log is append-only, and positions become visible in their order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._position = 0
        self._counts: Counter[str] = Counter()

    def now(self) -> dict[str, int]:
        """Return the counts by type."""
        with self._lock:
            top = LoggedEvent.objects.aggregate(top=Max("position"))["top"] or 0
            if top < self._position:  # another database, as after a restored backup
                self._position, self._counts = 0, Counter()
            new = (
                LoggedEvent.objects.filter(position__gt=self._position, position__lte=top)
                .order_by()
                .values_list("type")
                .annotate(number=Count("pk"))
            )
            self._counts.update(dict(new))
            self._position = top
            return dict(self._counts)


@dataclass(frozen=True)
class Depth:
    """Messages of a queue that wait or are in hand, and its dead letters."""

    queue: str
    messages: int
    dead_letters: int


def depths() -> list[Depth] | None:
    """Return how deep the queues are; None where the endpoint does not answer in time."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="depths")
    try:
        return pool.submit(_depths, queues.connected(PortalSettings())).result(PATIENCE)
    except (TookTooLong, *ENDPOINT_TROUBLE) as error:
        log.warning("queues_not_looked_at", error=str(error) or type(error).__name__)
        return None
    finally:
        pool.shutdown(wait=False)


def _depths(bus: Bus) -> list[Depth]:
    return [
        Depth(
            name,
            messages=sum(bus.queue(name).depth().values()),
            dead_letters=sum(bus.queue(name).dead_letters.depth().values()),
        )
        for name in queues.names(bus)
    ]
