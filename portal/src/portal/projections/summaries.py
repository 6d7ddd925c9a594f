"""What is summed up over jobs: the totals of days, and how each service is.

Rows are shares of jobs, so that a sum is right whatever was heard twice or late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from portal.projections.models import DayShare, ServiceVoice
from portal.projections.services import PUBLISHERS

# Longer than a publisher may owe a word: a look at a URL, a launch, eighteen heartbeats.
SILENT_AFTER = timedelta(seconds=90)
MOST_RUNS = 200


@dataclass(frozen=True)
class DayTotal:
    """The totals of a day of UTC; `failures` counts jobs by their code."""

    day: date
    recordings: int
    seconds: float
    bytes: int
    failures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenRun:
    """A run that has not ended, as its newest heartbeat told."""

    job_id: str
    run_id: str | None
    attempt: int | None
    phase: str | None
    media_seconds: float | None
    heartbeat_at: datetime | None
    silent: bool


@dataclass(frozen=True)
class ServiceHealth:
    """How a publisher is; `owing` jobs wait for a word of it, the oldest since `owes_since`.

    `silent` says that one of them waits for longer than `SILENT_AFTER`.
    """

    publisher: str
    heard_at: datetime | None
    jobs: int
    events: int
    open_runs: int
    owing: int
    owes_since: datetime | None
    silent: bool
    runs: Sequence[OpenRun] = ()


def days(
    *, since: date | None = None, until: date | None = None, most: int = 400
) -> list[DayTotal]:
    """Return the totals of the days on which something ended, the newest first."""
    shares = DayShare.objects.order_by()
    if since is not None:
        shares = shares.filter(day__gte=since)
    if until is not None:
        shares = shares.filter(day__lte=until)
    newest = list(shares.values_list("day", flat=True).distinct().order_by("-day")[:most])
    if not newest:
        return []
    within = shares.filter(day__gte=newest[-1])
    sums = within.values("day").annotate(
        all_recordings=Sum("recordings"), all_seconds=Sum("seconds"), all_bytes=Sum("bytes")
    )
    by_day: dict[date, dict[str, Any]] = {row["day"]: {**row} for row in sums}
    failures: dict[date, dict[str, int]] = {day: {} for day in newest}
    failed = within.filter(failures__gt=0).values("day", "code").annotate(number=Sum("failures"))
    for row in failed.order_by("day", "code"):
        failures[row["day"]][row["code"]] = row["number"]
    return [
        DayTotal(
            day=day,
            recordings=by_day[day]["all_recordings"],
            seconds=by_day[day]["all_seconds"],
            bytes=by_day[day]["all_bytes"],
            failures=failures[day],
        )
        for day in newest
    ]


def services(now: datetime) -> list[ServiceHealth]:
    """Return how each publisher is at this moment; the four of the system are always there."""
    sums: dict[str, dict[str, Any]] = {
        row["publisher"]: {**row}
        for row in ServiceVoice.objects.order_by()
        .values("publisher")
        .annotate(
            last=Max("heard_at"),
            jobs=Count("id", filter=Q(heard_at__isnull=False)),
            said=Sum("events"),
            runs=Sum("open_runs"),
            owing=Count("id", filter=Q(owes_since__lte=now)),
            oldest=Min("owes_since"),
        )
    }
    names = [*PUBLISHERS, *sorted(sums.keys() - set(PUBLISHERS))]
    return [_health(name, sums.get(name, {}), now) for name in names]


def _health(name: str, row: dict[str, Any], now: datetime) -> ServiceHealth:
    oldest = row.get("oldest")
    owes_since = oldest if oldest is not None and oldest <= now else None
    return ServiceHealth(
        publisher=name,
        heard_at=row.get("last"),
        jobs=row.get("jobs", 0),
        events=row.get("said", 0),
        open_runs=row.get("runs", 0),
        owing=row.get("owing", 0),
        owes_since=owes_since,
        silent=_is_silent(owes_since, now),
        runs=_runs(now) if name == "recorder" and row.get("runs") else (),
    )


def _runs(now: datetime) -> list[OpenRun]:
    rows = ServiceVoice.objects.filter(publisher="recorder", open_runs__gt=0)
    return [
        OpenRun(
            job_id=row.job_id,
            run_id=row.run_id,
            attempt=row.attempt,
            phase=row.phase,
            media_seconds=row.media_seconds,
            heartbeat_at=row.heartbeat_at,
            silent=_is_silent(row.owes_since, now),
        )
        for row in rows.order_by("owes_since", "job_id")[:MOST_RUNS]
    ]


def _is_silent(owes_since: datetime | None, now: datetime) -> bool:
    return owes_since is not None and owes_since < now - SILENT_AFTER
