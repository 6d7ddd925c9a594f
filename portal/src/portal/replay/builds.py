"""Builds: which tables of read models there are beside those that are read, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils import timezone

from portal.eventlog.models import LoggedEvent
from portal.projections.projection import Projection
from portal.projections.registry import projections_named
from portal.replay import shadow
from portal.replay.fingerprint import fingerprint
from portal.replay.models import Build

State = Build.State

UNDER_WAY = (State.BUILDING, State.READY)


def current() -> Build | None:
    """Return the build that is under way or ready, if there is one."""
    return Build.objects.filter(state__in=UNDER_WAY).first()


def kept() -> Build | None:
    """Return the build that a rollback would bring back: of those kept, the last swap's."""
    return Build.objects.filter(state=State.KEPT).order_by("-swapped_at", "-id").first()


def active(names: Sequence[str]) -> Build:
    """Return the record of what everybody reads of these projections; made where there is none."""
    for build in Build.objects.filter(state=State.ACTIVE):
        if build.projections == list(names):
            return build
    now = timezone.now()
    build = Build.objects.create(
        state=State.ACTIVE, projections=list(names), started_at=now, swapped_at=now
    )
    for name in tables_of(build).values():
        shadow.drop(name)  # left by a build of that number, before the records were emptied
    return build


def begin(names: Sequence[str]) -> Build:
    """Begin a new build with empty tables; what was under way is given up."""
    active(names)
    for old in Build.objects.filter(state__in=UNDER_WAY):
        discard(old)
    build = Build.objects.create(
        projections=list(names),
        started_at=timezone.now(),
        fingerprint=fingerprint(tuple(names)),
        position=newest_position(),
    )
    for projection in projections_of(build):
        shadow.create(projection, build.table(projection.table))
    return build


def discard(build: Build) -> None:
    """Drop a build's tables."""
    assert build.state != State.ACTIVE
    for name in tables_of(build).values():
        shadow.drop(name)
    build.state = State.DROPPED
    build.save(update_fields=["state"])


def discard_older() -> None:
    """Drop what was kept before the last swap.

    Not in the swap itself: dropping a large table takes longer than all the rest of it.
    """
    newest = kept()
    for build in Build.objects.filter(state=State.KEPT):
        if build != newest:
            discard(build)


def projections_of(build: Build) -> Sequence[Projection]:
    """Return the projections that a build has tables of."""
    return projections_named(build.projections)


def tables_of(build: Build) -> Mapping[str, str]:
    """Return the names of a build's tables by the names of those that everybody reads."""
    return {one.table: build.table(one.table) for one in projections_of(build)}


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
    return build.fingerprint == fingerprint(tuple(build.projections))


def touched_since(position: int) -> list[str]:
    """Return the jobs that heard something after a position, in order."""
    rows = LoggedEvent.objects.filter(position__gt=position).order_by("job_id")
    return list(rows.values_list("job_id", flat=True).distinct())
