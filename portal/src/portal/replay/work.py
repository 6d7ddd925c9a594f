"""Work that waits: long verbs that were asked for by API or admin, one after the other.

A record is queued by the web server, taken by `manage.py replays work`, and renewed while a
process has it. The relay's process starts that command when something waits (`keeping`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db.models import F
from django.utils import timezone

from portal.replay.errors import NotNow, ReplayError
from portal.replay.models import LEASE, Replay
from portal.replay.orders import VERBS, Arguments, verb_of
from portal.replay.records import Call, Report

log = structlog.get_logger(__name__)

Outcome = Replay.Outcome

# A verb that takes its process along so often (by its memory, say) is not begun again.
MOST_TAKES = 3


def enqueue(call: Call, name: str, given: Arguments) -> Replay:
    """Let a process of its own carry out a verb; what the verb refuses is raised here."""
    VERBS[name].check(given)
    now = timezone.now()
    return Replay.objects.create(
        verb=name,
        requested_by=call.by,
        parameters={key: value for key, value in given.items() if value not in (None, (), [])},
        order={"verb": name, "given": dict(given), "begun": False},
        started_at=now,
        updated_at=now,
        outcome=Outcome.QUEUED,
    )


def resume(record: Replay) -> Replay:
    """Queue a record again that was interrupted or failed.

    One of a replay goes on behind what was sent, whoever began it. Raises `NotNow`, and what
    the verb refuses.
    """
    if record.outcome not in {Outcome.INTERRUPTED, Outcome.FAILED}:
        raise NotNow(f"{record.verb} {record.pk} is {record.outcome}: there is nothing to resume")
    order = record.order or {"verb": record.verb, "given": record.parameters, "begun": True}
    verb = VERBS.get(order["verb"])
    if verb is None or verb.go_on is None:
        raise NotNow(f"{record.verb} cannot be gone on with; look at what was done, and ask anew")
    verb.check(order["given"])
    found = Replay.objects.filter(pk=record.pk, outcome=record.outcome)
    found.update(outcome=Outcome.QUEUED, order=order, takes=0, error="", finished_at=None)
    record.refresh_from_db()
    return record


def is_waiting() -> bool:
    """Return whether there is something to do."""
    return Replay.objects.filter(outcome=Outcome.QUEUED).exists()


def tend(now: datetime | None = None) -> int:
    """Look for records whose process is gone; return how many there were.

    What can be gone on with is queued again; else the record says that it was interrupted, and
    keeps what was done.
    """
    now = now or timezone.now()
    found = 0
    for record in Replay.objects.filter(outcome=Outcome.RUNNING, updated_at__lte=now - LEASE):
        outcome, error = _after_death(record)
        # Renewed meanwhile, or seen by another one who tends: then it is not ours.
        found += Replay.objects.filter(
            pk=record.pk, outcome=Outcome.RUNNING, updated_at=record.updated_at
        ).update(
            outcome=outcome,
            error=error,
            updated_at=now,
            finished_at=None if outcome == Outcome.QUEUED else now,
        )
        log.warning(
            "replay_orphaned", replay_id=str(record.pk), verb=record.verb, outcome=str(outcome)
        )
    return found


def work(call: Call) -> Report:
    """Carry out what waits, until nothing does; what failed is left.

    Interrupted (by SIGTERM, at a deployment), what can be gone on with waits again.
    """
    report = Report("replays", call.dry_run)
    while (record := _next(call)) is not None:
        report.items.append(_carried_out(record))
        report.counts[record.outcome] += 1
        report.left += int(record.outcome in {Outcome.FAILED, Outcome.INCOMPLETE})
        call.progress(len(report.items), None)
    if call.dry_run:
        waiting = Replay.objects.filter(outcome=Outcome.QUEUED).order_by("started_at")
        report.items += [describe(one) for one in waiting]
        report.counts["would be carried out"] = len(report.items)
    return report


def describe(record: Replay) -> dict[str, object]:
    """Return a record as a line of a report."""
    return {
        "id": str(record.pk),
        "verb": record.verb,
        "by": record.requested_by,
        "outcome": str(record.outcome),
        "done": record.done,
        "total": record.total,
        "left": record.left,
    }


def _next(call: Call) -> Replay | None:
    """Take the oldest record that waits; of several who try, one gets it."""
    waiting = Replay.objects.filter(outcome=Outcome.QUEUED).order_by("started_at", "pk")
    while not call.dry_run and (record := waiting.first()) is not None:
        taken = Replay.objects.filter(pk=record.pk, outcome=Outcome.QUEUED).update(
            outcome=Outcome.RUNNING, takes=F("takes") + 1, updated_at=timezone.now()
        )
        if taken:
            record.refresh_from_db()
            return record
    return None


def _carried_out(record: Replay) -> dict[str, object]:
    verb, given = verb_of(record)
    order: dict[str, Any] = record.order or {}
    carry_out = verb.go_on if order["begun"] and verb.go_on else verb.begin
    record.order = {**order, "begun": True}
    record.save(update_fields=["order"])
    try:
        carry_out(Call(by=record.requested_by, record=record), given)
    except ReplayError as error:
        # Refused before it had begun, for what has changed since it was queued.
        _close(record, Outcome.FAILED, error.detail)
    except Exception as error:
        log.exception("replay_failed", replay_id=str(record.pk), verb=record.verb)
        _close(record, Outcome.FAILED, f"{type(error).__name__}: {error}")
    except BaseException:
        if verb.go_on is not None:
            _close(record, Outcome.QUEUED, "")
            Replay.objects.filter(pk=record.pk).update(takes=F("takes") - 1)
        raise
    record.refresh_from_db()
    return describe(record)


def _close(record: Replay, outcome: str, error: str) -> None:
    ended = None if outcome == Outcome.QUEUED else timezone.now()
    Replay.objects.filter(pk=record.pk).update(
        outcome=outcome, error=error, finished_at=ended, updated_at=timezone.now()
    )


def _after_death(record: Replay) -> tuple[str, str]:
    gone = "the process that carried it out is gone"
    if record.order is None:
        return Outcome.INTERRUPTED, f"{gone}; what was done until then stands"
    verb, _ = verb_of(record)
    if verb.go_on is None:
        return Outcome.INTERRUPTED, f"{gone}; look at what was done before asking again"
    if record.takes >= MOST_TAKES:
        return Outcome.FAILED, f"{gone}, for the {record.takes}th time; it is not begun again"
    return Outcome.QUEUED, ""
