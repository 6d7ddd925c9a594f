"""Builds: which tables of the read model there are, and where each stands."""

from __future__ import annotations

from django.utils import timezone

from portal.eventlog.models import LoggedEvent
from portal.replay import shadow
from portal.replay.fingerprint import fingerprint
from portal.replay.models import Build

State = Build.State

UNDER_WAY = (State.BUILDING, State.READY)


def current() -> Build | None:
    """Return the build that is under way or ready, if there is one."""
    return Build.objects.filter(state__in=UNDER_WAY).first()


def kept() -> Build | None:
    """Return the build that a rollback would bring back."""
    return Build.objects.filter(state=State.KEPT).first()


def active() -> Build:
    """Return the build that everybody reads; the first table of all gets its record here."""
    now = timezone.now()
    found = Build.objects.filter(state=State.ACTIVE).first()
    return found or Build.objects.create(state=State.ACTIVE, started_at=now, swapped_at=now)


def begin() -> Build:
    """Begin a new build with an empty table; what was under way is given up."""
    active()
    for old in Build.objects.filter(state__in=UNDER_WAY):
        discard(old)
    build = Build.objects.create(
        started_at=timezone.now(), fingerprint=fingerprint(), position=newest_position()
    )
    shadow.create(build.table)
    return build


def discard(build: Build) -> None:
    """Drop a build's table."""
    assert build.state != State.ACTIVE
    shadow.drop(build.table)
    build.state = State.DROPPED
    build.save(update_fields=["state"])


def newest_position() -> int:
    """Return the position of the newest event, 0 for none.

    Positions become visible in their order, so nothing can appear below it later.
    """
    newest = LoggedEvent.objects.order_by("-position").values_list("position", flat=True)
    return newest.first() or 0


def fold_again(job_id: str, why: str) -> None:
    """Have a job folded once more in each build: it changed without an event."""
    # The time makes the reason unlike an older one, which may be being dealt with right now.
    reason = f"{why} at {timezone.now().isoformat()}"
    for build in Build.objects.select_for_update().filter(state__in=[*UNDER_WAY, State.KEPT]):
        build.again = {**build.again, job_id: reason}
        build.save(update_fields=["again"])


def is_by_this_code(build: Build) -> bool:
    """Return whether the code that filled a build is the one that runs here."""
    return build.fingerprint == fingerprint()


def touched_since(position: int) -> list[str]:
    """Return the jobs that heard something after a position, in order."""
    rows = LoggedEvent.objects.filter(position__gt=position).order_by("job_id")
    return list(rows.values_list("job_id", flat=True).distinct())
