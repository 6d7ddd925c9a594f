"""Counting the log by type, without counting what was counted before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from portal.catalogue.models import Tally
from portal.eventlog.models import LoggedEvent

ROW = 1
KEEP_EVERY = 10_000
"""Events; what is newer is counted at each look, which takes milliseconds."""


@dataclass(frozen=True)
class Seen:
    """How often a type is in the log, and when one was last heard."""

    count: int
    last_seen: datetime


def seen() -> dict[str, Seen]:
    """Return what the log has of each type; types that were never heard are not there."""
    counts = _counted()
    times = dict(
        LoggedEvent.objects.filter(position__in=[last for _, last in counts.values()]).values_list(
            "position", "received_at"
        )
    )
    return {
        type_: Seen(count, times[last]) for type_, (count, last) in counts.items() if last in times
    }


def _counted() -> dict[str, tuple[int, int]]:
    kept = Tally.objects.filter(pk=ROW).first() or Tally(pk=ROW)
    if kept.upto and not LoggedEvent.objects.filter(position=kept.upto).exists():
        kept = Tally(pk=ROW)  # this is the tally of another log
    counts = {type_: (count, last) for type_, (count, last) in kept.counts.items()}
    fresh = 0
    for type_, count, last in _newer(kept.upto):
        counts[type_] = (counts.get(type_, (0, 0))[0] + count, last)
        fresh += count
    if fresh >= KEEP_EVERY:
        upto = max(last for _, last in counts.values())
        Tally.objects.update_or_create(pk=ROW, defaults={"upto": upto, "counts": counts})
    return counts


def _newer(upto: int) -> Iterable[tuple[str, int, int]]:
    """Yield type, count and newest position of what is behind a position."""
    rows = LoggedEvent.objects.filter(position__gt=upto).order_by()
    if upto == 0:
        return rows.values_list("type").annotate(count=Count("position"), last=Max("position"))
    # To group the few that are new, SQLite would walk over the whole index of types.
    newest = rows.order_by("position").values_list("type", "position").iterator()
    return ((type_, 1, position) for type_, position in newest)
