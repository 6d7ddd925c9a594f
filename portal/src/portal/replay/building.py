"""Rebuilding the read model beside the one that everybody reads.

1. Fold: all jobs, a chunk at a time, into an empty table.
2. Catch up: fold again what heard something since the build began, until nothing is behind.
3. Compare with what everybody reads.

A build that was interrupted goes on where it stands, unless the code has changed since.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.eventlog.locking import lock_log
from portal.eventlog.models import LoggedEvent
from portal.jobs.models import Job
from portal.jobs.verification import Counts, differences
from portal.replay import builds, shadow
from portal.replay.comparison import Changes, compare_all
from portal.replay.construction import Construction, Overtaken
from portal.replay.errors import NotNow
from portal.replay.models import Build
from portal.replay.records import Call, Report, Run, running

# Of catching up: ingest may be as fast as we are, and the swap does the rest under its lock.
_ROUNDS = 10


def rebuild(call: Call, *, fresh: bool = False) -> Report:
    """Build the read model anew beside the old one, or go on with the build under way.

    `fresh` gives up a build under way. Jobs that cannot be folded are left, and the build cannot
    be swapped in before they can. A dry run folds everything and says what would change.
    """
    if call.dry_run:
        return _what_would_change(call)
    with running(call, "rebuild", {"fresh": fresh or None}) as run:
        work = Construction(_begun(run, fresh=fresh))
        while True:
            try:
                changes = _carry_on(work, run)
            except Overtaken:
                work = Construction(_as_it_stands(work.build))
            else:
                break
        _tell(work.build, changes, run)
    return run.report


def verify(call: Call) -> Report:
    """Fold every job and compare with its row; each difference is left. Changes nothing."""
    if call.dry_run:
        return _differences("verify", call, None)
    with running(call, "verify", {}) as run:
        _differences("verify", call, run)
    return run.report


def _begun(run: Run, *, fresh: bool) -> Build:
    with transaction.atomic():
        lock_log()  # so that two who begin at once begin one build
        build = builds.current()
        usable = (
            build is not None
            and not fresh
            and builds.is_by_this_code(build)
            and shadow.exists(build.table)
        )
        if build is None or not usable:
            build = builds.begin()
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
    total = LoggedEvent.objects.order_by().values("job_id").distinct().count()

    def show(number: int) -> None:
        run.count("folded", number)
        run.step(work.build.jobs, total)

    work.fold_all(show)
    for _ in range(_ROUNDS):
        run.count("folded again", len(work.catch_up()))
        if not work.is_behind:
            break
    changes = Changes()
    for _ in compare_all(changes, Job, work.table, position=work.build.position):
        run.step(total, total)

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
    for job_id, change in changes.by_job.items():
        run.note(job=job_id, change=change)
    for job_id, error in build.again.items():
        run.note(job=job_id, change=f"cannot be folded: {error}")
        run.count("cannot be folded")
        run.leave()


def _what_would_change(call: Call) -> Report:
    report = _differences("rebuild", call, None)
    report.left = sum("cannot be folded" in item["change"] for item in report.items)
    return report


def _differences(verb: str, call: Call, run: Run | None) -> Report:
    report = run.report if run else Report(verb, call.dry_run)
    counts = Counts()
    for difference in differences(counts):
        report.items.append({"job": difference.job_id, "change": difference.what})
        if run:
            run.step(counts.jobs)
    report.counts.update({"compared": counts.jobs, "differing": counts.differing})
    report.left = counts.differing
    return report
