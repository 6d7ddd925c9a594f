"""Import: an export into an empty system, which then shows the same read models.

Positions and times of receipt stay as they were. The portal's own events go into its store as
well, so that commands can go on: those that were said before get notification ids below 1,
where no relay ever looks; those that were not are said by this system.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Min

from portal.eventlog import cursors
from portal.eventlog.locking import lock_log
from portal.eventlog.models import (
    LoggedEvent,
    QuarantinedMessage,
    SkippedEvent,
    StoredEvent,
    StreamCursor,
)
from portal.jobs.readmodel import known_jobs, refold
from portal.replay import archive
from portal.replay.archive import Line
from portal.replay.errors import NotNow
from portal.replay.records import Call, Report, Run, running

_BATCH = 1000


def import_log(call: Call, path: Path) -> Report:
    """Read an export into this system; done again, or gone on with, it changes nothing twice.

    Raises `NotThere`, `NotNow` where the file is not whole or the log has something else.
    """
    with running(call, "import", {"file": str(path)}) as run:
        total = 0
        for line in archive.read(path):
            total += line["kind"] == "event"
        done = 0
        for kind, lines in _batches(archive.read(path)):
            done += len(lines) if kind == "event" else 0
            _take(run, kind, lines, dry_run=call.dry_run)
            run.step(done, total)
        if not call.dry_run:
            _fold(run)
    return run.report


def _batches(lines: Iterator[Line]) -> Iterator[tuple[str, list[Line]]]:
    batch: list[Line] = []
    for line in lines:
        if batch and (line["kind"] != batch[0]["kind"] or len(batch) >= _BATCH):
            yield batch[0]["kind"], batch
            batch = []
        batch.append(line)
    if batch:
        yield batch[0]["kind"], batch


def _take(run: Run, kind: str, lines: list[Line], *, dry_run: bool) -> None:
    take = {
        "event": _events,
        "skipped": _skipped,
        "ended": _ended,
        "quarantined": _quarantined,
    }.get(kind)
    if take is None:
        return
    with transaction.atomic():
        lock_log()
        new = take(lines)
        if dry_run:
            transaction.set_rollback(True)
    run.count(kind, new)
    if new < len(lines):
        run.count(f"{kind} there already", len(lines) - new)


def _events(lines: list[Line]) -> int:
    rows = [LoggedEvent(**archive.values(line, archive.EVENT)) for line in lines]
    there = dict(
        LoggedEvent.objects.filter(
            position__gte=rows[0].position, position__lte=rows[-1].position
        ).values_list("position", "event_id")
    )
    expected = {row.position: UUID(str(row.event_id)) for row in rows}
    for position, event_id in there.items():
        if expected.get(position) != event_id:
            raise NotNow(
                f"position {position} of the log holds another event ({event_id}); an import "
                "needs an empty system"
            )
    fresh = [row for row in rows if row.position not in there]
    newest = LoggedEvent.objects.order_by("-position").values_list("position", flat=True).first()
    if fresh and newest is not None and newest > fresh[0].position:
        raise NotNow(
            f"the log goes on to position {newest} and lacks {fresh[0].position}: it is that of "
            "another system; an import needs an empty one"
        )
    streams = cursors.load({row.stream for row in fresh})
    cursors.advance(streams, LoggedEvent.objects.bulk_create(fresh))
    _own([(row, line) for row, line in zip(rows, lines, strict=True) if row.position not in there])
    _set_sequences()
    return len(fresh)


def _own(pairs: list[tuple[LoggedEvent, Line]]) -> None:
    """Put the portal's own events into its store; those that were said where no relay looks."""
    lowest = StoredEvent.objects.aggregate(Min("id"))["id__min"] or 1
    said = [row for row, line in pairs if line["own"] == "said"]
    unsaid = [row for row, line in pairs if line["own"] == "unsaid"]
    below = min(lowest, 1) - len(said)
    StoredEvent.objects.bulk_create(
        _stored(row, id_=below + number) for number, row in enumerate(said)
    )
    StoredEvent.objects.bulk_create(_stored(row, id_=None) for row in unsaid)


def _stored(row: LoggedEvent, *, id_: int | None) -> StoredEvent:
    return StoredEvent(
        id=id_,
        originator_id=row.stream,
        originator_version=row.sequence,
        topic=row.type,
        state=row.envelope.encode(),
    )


def _set_sequences() -> None:
    """Let the next event get a position of its own: positions were given, not drawn."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [LoggedEvent]):
            cursor.execute(statement)


def _skipped(lines: list[Line]) -> int:
    there = SkippedEvent.objects.in_bulk([line["position"] for line in lines])
    made = SkippedEvent.objects.bulk_create(
        # Older exports know only events that all folds pass over.
        SkippedEvent(**archive.values({"projections": [], **line}, archive.SKIPPED))
        for line in lines
        if line["position"] not in there
    )
    return len(made)


def _ended(lines: list[Line]) -> int:
    there = StreamCursor.objects.in_bulk([line["stream"] for line in lines])
    new = [line for line in lines if _end_of(there.get(line["stream"])) is None]
    for line in new:
        StreamCursor.objects.update_or_create(
            stream=line["stream"],
            defaults={
                "job_id": line["job_id"],
                "ended_at_sequence": line["ended_at_sequence"],
                "ended_by": line["ended_by"],
            },
        )
    return len(new)


def _end_of(cursor: StreamCursor | None) -> int | None:
    return cursor.ended_at_sequence if cursor else None


def _quarantined(lines: list[Line]) -> int:
    prints = [line["fingerprint"] for line in lines]
    rows = QuarantinedMessage.objects.filter(fingerprint__in=prints)
    there = set(rows.values_list("fingerprint", flat=True))
    made = QuarantinedMessage.objects.bulk_create(
        QuarantinedMessage(**archive.values(line, archive.QUARANTINED))
        for line in lines
        if line["fingerprint"] not in there
    )
    return len(made)


def _fold(run: Run) -> None:
    for chunk in known_jobs():
        with transaction.atomic():
            lock_log()
            written = refold(chunk)
        run.count("jobs", written)
        parked = len(chunk) - written
        if parked:
            run.count("parked", parked)
            run.leave(parked)
