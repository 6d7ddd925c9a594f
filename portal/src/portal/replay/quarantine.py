"""Quarantine: put what the log refused through the inbox again, or drop it with a reason."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.locking import lock_log
from portal.eventlog.models import QuarantinedMessage
from portal.jobs.readmodel import refold
from portal.replay.errors import BadParameters, NotNow, NotThere
from portal.replay.records import Call, Report, running


def list_quarantine(call: Call, *, reason: str | None = None) -> Report:
    """List the messages of which nobody has decided yet; each counts as left."""
    report = Report("quarantine", call.dry_run)
    rows = undecided()
    for row in rows.filter(reason=reason) if reason else rows:
        report.items.append(
            {
                "id": row.pk,
                "received_at": row.received_at.isoformat(timespec="seconds"),
                "reason": row.reason,
                "times": row.times,
                "detail": row.detail,
            }
        )
        report.counts[row.reason] += 1
        report.left += 1
    return report


def undecided() -> QuerySet[QuarantinedMessage]:
    """Return the messages that are neither released nor dropped, oldest first."""
    return QuarantinedMessage.objects.filter(released_at=None, dropped_at=None).order_by("pk")


def release(call: Call, *, ids: Collection[int] = (), reason: str | None = None) -> Report:
    """Put messages through the inbox again: these, or all open ones (of a reason).

    What the log takes now, or has already, is released; what it refuses again is left.
    Raises `NotThere`, `NotNow` where one of `ids` does not exist or was decided.
    """
    if ids:
        chosen = [_open(one) for one in ids]
    else:
        chosen = list(undecided().filter(reason=reason) if reason else undecided())
    with running(call, "quarantine", {"release": sorted(ids) or "all", "reason": reason}) as run:
        for number, row in enumerate(chosen, start=1):
            taken = _try(row, by=call.by, keep=not call.dry_run)
            would = "would be " if call.dry_run else ""
            run.note(id=row.pk, became=f"{would}released" if taken else "refused again")
            run.count("released" if taken else "refused")
            run.leave(int(not taken))
            run.step(number, len(chosen))
    return run.report


def drop(call: Call, *, ids: Collection[int], reason: str) -> Report:
    """Decide that messages are of no use; they are kept, with the reason.

    Raises `BadParameters` without ids or reason, `NotThere`, `NotNow` as `release` does.
    """
    if not ids:
        raise BadParameters("name the messages to drop", field="ids")
    if not reason.strip():
        raise BadParameters("say why the messages are dropped", field="reason")
    chosen = [_open(one) for one in ids]
    with running(call, "quarantine", {"drop": sorted(ids), "reason": reason}) as run:
        for row in chosen:
            run.note(id=row.pk, became="would be dropped" if call.dry_run else "dropped")
            run.count("dropped")
            if not call.dry_run:
                row.dropped_at, row.dropped_because = timezone.now(), reason
                row.handled_by = call.by
                row.save(update_fields=["dropped_at", "dropped_because", "handled_by"])
    return run.report


def _try(row: QuarantinedMessage, *, by: str, keep: bool) -> bool:
    """Put a message through the inbox; without `keep`, only look whether the log would take it."""
    with transaction.atomic():
        lock_log()
        receipt = Inbox(refold).receive([Arrival(row.body, row.attributes)])
        taken = receipt.quarantined == 0
        if not keep:
            transaction.set_rollback(True)
        elif taken:
            row.released_at, row.handled_by = timezone.now(), by
            row.save(update_fields=["released_at", "handled_by"])
    return taken


def _open(identifier: int) -> QuarantinedMessage:
    row = QuarantinedMessage.objects.filter(pk=identifier).first()
    if row is None:
        raise NotThere(f"there is no quarantined message {identifier}")
    if not row.is_open:
        raise NotNow(
            f"message {identifier} was {'released' if row.released_at else 'dropped'} already"
        )
    return row
