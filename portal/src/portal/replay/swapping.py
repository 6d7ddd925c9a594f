"""Swapping a build in, and rolling back to the tables that were read before.

1. Without a lock: catch up until only a few jobs are behind, compare what was folded, catch up
   once more. Take the log's lock; let it go again if something was heard meanwhile.
2. Under the lock, where nobody writes: fold what is left, if anything is, note what is read
   now, and, last of all, let the tables change their names. With the commit everybody reads the
   other ones.

A reader before that sees the old table whole, a reader after it the new one; on PostgreSQL one
that comes in between waits for a moment.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from portal.eventlog.locking import lock_log
from portal.eventlog.models import ParkedJob
from portal.jobs.readmodel import refold
from portal.projections.models import Checkpoint
from portal.replay import builds, shadow
from portal.replay.comparison import Changes
from portal.replay.construction import Construction, Overtaken
from portal.replay.errors import NotNow
from portal.replay.models import Build
from portal.replay.records import Call, Item, Report, Run, running

log = structlog.get_logger(__name__)

State = Build.State
T = TypeVar("T")

_TRIES = 30
# Of catching up before the lock is taken: until so few jobs are left that nobody notices.
_ROUNDS = 10
_FEW = 10
_PAUSE = 0.3  # seconds in which readers that hold the table may end


def swap(call: Call) -> Report:
    """Let everybody read the build that is ready; the table that was read is kept.

    Raises `NotNow` where none is ready, where other code made it, or where a job cannot be
    folded any more.
    """
    build = builds.current()
    if build is None or build.state != State.READY:
        raise NotNow("no build of the read model is ready; run `rebuild` first")
    if not builds.is_by_this_code(build):
        raise NotNow("the build was made by other code than this; run `rebuild` again")
    return _exchange(call, "swap", build)


def rollback(call: Call) -> Report:
    """Let everybody read the table again that was read before the last swap.

    What was heard since is folded into it first; a job that cannot be is parked, its row as it
    was. Raises `NotNow` where none is kept, or where it has other columns than this version.
    """
    build = builds.kept()
    if build is None:
        raise NotNow("no table of the read model is kept; only a swap keeps one")
    return _exchange(call, "rollback", build)


def _exchange(call: Call, verb: str, build: Build) -> Report:
    for projection in builds.projections_of(build):
        table = build.table(projection.table)
        if not shadow.exists(table) or not shadow.has_our_columns(projection, table):
            raise NotNow(
                f"table {table} is not there or has other columns than this version's; "
                "run `rebuild --fresh`, then `swap`"
            )
    with running(call, verb, {"build": build.pk}) as run:
        if call.dry_run:
            waiting = len({*builds.touched_since(build.position), *build.again})
            run.count("to be folded again", waiting)
            _note_changes(run, _foreseen(build))
            return run.report
        # Most of the rest is done while nobody waits.
        changes = Changes()
        for _ in range(_ROUNDS):
            if _patiently(lambda: _catch_up(build.pk, changes)) <= _FEW:
                break
        with shadow.about_to_show():
            held = _patiently(lambda: _at_once(build.pk, run))
        run.count("milliseconds under the lock", math.ceil(held * 1000))
        log.info("read_models_swapped", build=build.pk, seconds=round(held, 4))
        builds.discard_older()
        _note_changes(run, [*_others(_foreseen(build), changes), *changes.items()])
    return run.report


def _foreseen(build: Build) -> list[Item]:
    """Return what the rebuild found to differ; tables that are kept were compared long ago."""
    found: list[Item] = build.report.get("changes", []) if build.state == State.READY else []
    return found


def _others(foreseen: list[Item], changes: Changes) -> list[Item]:
    """Leave out what was compared again."""
    again = {job_id for _, job_id in changes.by_place}
    return [item for item in foreseen if item["job"] not in again]


def _catch_up(number: int, changes: Changes) -> int:
    """Fold what was heard since, and note what the swap changes; return how many jobs it was."""
    work = Construction(Build.objects.get(pk=number))
    jobs = work.catch_up()
    for projection in work.projections:
        changes.compare(projection, jobs, work.tables[projection.name])
    # What goes on meanwhile differs for now only.
    changes.leave_out(builds.touched_since(work.build.position))
    return len(jobs)


def _at_once(number: int, run: Run) -> float:
    """Swap; return for how many seconds others waited for the log's lock."""
    work = Construction(Build.objects.get(pk=number))
    if work.build.state not in {State.READY, State.KEPT}:
        raise NotNow(f"build {number} is {work.build.state} by now")
    for left in reversed(range(_ROUNDS)):
        work.catch_up()
        with transaction.atomic():
            lock_log()
            since = time.monotonic()
            # Somebody wrote while this one waited for the lock: to fold that takes longer than
            # all the rest, so others go first once more.
            if not left or not work.is_behind:
                _under_the_lock(work, run)
                break
    return time.monotonic() - since


def _under_the_lock(work: Construction, run: Run) -> None:
    """Fold the last stretch and swap. Raises `Overtaken` where somebody touched the build."""
    jobs = work.catch_up()
    if work.build.again and work.build.state == State.READY:
        first = ", ".join(sorted(work.build.again)[:5])
        raise NotNow(
            f"{len(work.build.again)} job(s) cannot be folded: {first}; see `parked list`, or "
            "change the code and run `rebuild`"
        )
    _rename(work.build)
    run.report.counts.update({"folded under the lock": len(jobs), "swapped": 1})


def _rename(build: Build) -> None:
    old = builds.active(build.projections)
    now = timezone.now()
    parked = list(ParkedJob.objects.order_by("job_id").values_list("job_id", flat=True))
    shown, hidden = builds.tables_of(build), builds.tables_of(old)
    old.state, old.position, old.swapped_at = State.KEPT, build.position, now
    # Rows of parked jobs stood still in it.
    old.again = dict.fromkeys(parked, "was parked at the swap")
    old.save()
    nothing_read = [
        other.pk
        for other in Build.objects.filter(state=State.ACTIVE)
        if set(other.projections) <= set(build.projections)
    ]
    Build.objects.filter(pk__in=nothing_read).update(state=State.DROPPED)
    again = sorted({*parked, *build.again})
    build.state, build.swapped_at, build.again = State.ACTIVE, now, {}
    build.save()
    Checkpoint.objects.bulk_create(
        (Checkpoint(projection=name, position=build.position) for name in build.projections),
        update_conflicts=True,
        unique_fields=["projection"],
        update_fields=["position"],
    )
    # Readers wait for the tables from here to the commit.
    shadow.show(shown, instead_as=hidden)
    if again:
        refold(again)  # of the other tables, other jobs may be parked


def _patiently(act: Callable[[], T]) -> T:
    """Do it, and again where another process or a long reader was in the way."""
    for _ in range(_TRIES - 1):
        try:
            return act()
        except (Overtaken, OperationalError) as error:
            if connection.in_atomic_block:
                raise  # inside of somebody's transaction there is no second try
            log.info("swap_postponed", error=str(error))
            time.sleep(_PAUSE)
    return act()


def _note_changes(run: Run, changes: list[Item]) -> None:
    for item in changes:
        run.note(**item)
    run.count("jobs that read otherwise", len({item["job"] for item in changes}))
