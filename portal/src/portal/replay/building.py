"""Rebuilding read models beside the ones that everybody reads.

1. Fold: all jobs, a chunk at a time, into empty tables; each event is read once for all of them.
2. Catch up: fold again what heard something since the build began, until nothing is behind.
3. Compare with what everybody reads.

A build that was interrupted goes on where it stands, unless the code has changed since.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from portal.eventlog.locking import lock_log
from portal.eventlog.models import StreamCursor
from portal.jobs.verification import Counts, differences
from portal.projections.registry import projections_named
from portal.replay import builds, shadow
from portal.replay.choosing import chosen
from portal.replay.comparison import Changes, compare_all
from portal.replay.construction import Construction, Overtaken
from portal.replay.errors import NotNow
from portal.replay.models import Build
from portal.replay.records import Call, Report, Run, running

# Of catching up: ingest may be as fast as we are, and the swap does the rest under its lock.
_ROUNDS = 10


def rebuild(call: Call, *, fresh: bool = False, projections: Sequence[str] = ()) -> Report:
    """Build read models anew beside the old ones, or go on with the build under way.

    All of them, or those that are named; a build under way of others is given up, and with
    `fresh` any. Jobs that cannot be folded are left, and the build cannot
    be swapped in before they can. A dry run folds everything and says what would change.
    """
    names = chosen(projections)
    if call.dry_run:
        return _what_would_change(call, names)
    given = {"fresh": fresh or None, "projections": list(projections) or None}
    with running(call, "rebuild", given) as run:
        work = Construction(_begun(run, names, fresh=fresh))
        while True:
            try:
                changes = _carry_on(work, run)
            except Overtaken:
                work = Construction(_as_it_stands(work.build))
            else:
                break
        _tell(work.build, changes, run)
    return run.report


def verify(call: Call, *, projections: Sequence[str] = ()) -> Report:
    """Fold every job and compare with its rows; each difference is left. Changes nothing."""
    names = chosen(projections)
    if call.dry_run:
        return _differences("verify", call, None, names)
    with running(call, "verify", {"projections": list(projections) or None}) as run:
        _differences("verify", call, run, names)
    return run.report


def _begun(run: Run, names: Sequence[str], *, fresh: bool) -> Build:
    with transaction.atomic():
        lock_log()  # so that two who begin at once begin one build
        build = builds.current()
        usable = (
            build is not None
            and not fresh
            and build.projections == list(names)
            and builds.is_by_this_code(build)
            and all(map(shadow.exists, builds.tables_of(build).values()))
        )
        if build is None or not usable:
            build = builds.begin(names)
            run.count("begun")
        else:
            run.count("resumed")
        return build


def _as_it_stands(build: Build) -> Build:
    now = Build.objects.get(pk=build.pk)
    if now.state not in builds.UNDER_WAY:
        raise NotNow(f"build {now.pk} is {now.state} now: somebody swapped it in or gave it up")
    return now


def _carry_on(work: Construction, run: Run) -> Changes:
    total = StreamCursor.objects.order_by().values("job_id").distinct().count()

    def show(number: int) -> None:
        run.count("folded", number)
        run.step(work.build.jobs, total)

    work.fold_all(show)
    for _ in range(_ROUNDS):
        run.count("folded again", len(work.catch_up()))
        if not work.is_behind:
            break
    changes = Changes()
    for compared in compare_all(changes, work.projections, work.build):
        run.step(compared, total)

    def conclude(build: Build) -> None:
        build.report = changes.report()
        build.state = Build.State.BUILDING if build.again else Build.State.READY
        build.ready_at = None if build.again else timezone.now()

    work.save(conclude)
    return changes


def _tell(build: Build, changes: Changes, run: Run) -> None:
    report = changes.report()
    for name in ("added", "removed", "changed"):
        run.count(name, report[name])
    for item in changes.items():
        run.note(**item)
    for job_id, error in build.again.items():
        run.note(job=job_id, change=f"cannot be folded: {error}", projection="")
        run.count("cannot be folded")
        run.leave()


def _what_would_change(call: Call, names: Sequence[str]) -> Report:
    report = _differences("rebuild", call, None, names)
    report.left = sum("cannot be folded" in item["change"] for item in report.items)
    return report


def _differences(verb: str, call: Call, run: Run | None, names: Sequence[str]) -> Report:
    report = run.report if run else Report(verb, call.dry_run)
    counts = Counts()
    for difference in differences(counts, projections_named(names)):
        report.items.append(
            {
                "job": difference.job_id,
                "change": difference.what,
                "projection": difference.projection,
            }
        )
        if run:
            run.step(counts.jobs)
    report.counts.update({"compared": counts.jobs, "differing": counts.differing})
    report.left = counts.differing
    return report
