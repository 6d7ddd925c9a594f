"""Export: the whole log as JSON lines, for a backup or another database."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from django.db.models import Max

from portal.eventlog.models import LoggedEvent, RelayPosition, StoredEvent
from portal.replay import archive, gaps
from portal.replay.builds import newest_position
from portal.replay.errors import BadParameters, NotNow, NotThere
from portal.replay.records import Call, Report, Run, running

_PAGE = 1000


def export(call: Call, path: Path) -> Report:
    """Write the log up to now into a file; ingest may go on.

    It grows as `<path>.part` and gets its name when it is whole; one that was interrupted is
    gone on with. Raises `NotNow` where the file exists, or where the portal's own events are
    missing from the log (`gaps --repair` mends that).
    """
    if path.exists():
        raise NotNow(f"{path} exists; name another file")
    if not path.parent.is_dir():
        raise NotThere(f"there is no folder {path.parent}", field="file")
    if lacking := [gap.stream for gap in gaps.own_events([])]:
        raise NotNow(
            f"the log lacks events of {', '.join(lacking[:3])}, which an export would lose; "
            "run `gaps --repair` first"
        )
    if path.suffix == ".part":
        raise BadParameters(".part is for exports that are not whole; name the file otherwise")
    with running(call, "export", {"file": str(path)}) as run:
        until = newest_position()
        if call.dry_run:
            run.count("event", LoggedEvent.objects.filter(position__lte=until).count())
            run.report.counts.update(Counter(line["kind"] for line in archive.marks()))
        else:
            _write(run, path, until)
    return run.report


def _write(run: Run, path: Path, until: int) -> None:
    part = path.with_name(path.name + ".part")
    counts, after = _resume(part)
    run.report.counts.update(counts)
    total = LoggedEvent.objects.filter(position__lte=until).count()
    said = RelayPosition.objects.exclude(name__contains="#").aggregate(Max("notification_id"))
    said_until: int = said["notification_id__max"] or 0
    with part.open("ab") as file:
        if not file.tell():
            file.write(archive.dump(archive.HEADER))
        events = LoggedEvent.objects.filter(position__lte=until).order_by("position")
        while page := list(events.filter(position__gt=after)[:_PAGE]):
            own = _own(page)
            for event in page:
                number = own.get((event.stream, event.sequence))
                file.write(archive.dump(_line(event, number, said_until)))
            after = page[-1].position
            run.count("event", len(page))
            run.step(run.report.counts["event"], total)
        for mark in archive.marks():
            file.write(archive.dump(mark))
            run.count(mark["kind"])
        file.write(archive.dump({"kind": "end", "counts": dict(run.report.counts)}))
    part.rename(path)


def _line(event: LoggedEvent, stored: int | None, said_until: int) -> archive.Line:
    own = None if stored is None else "said" if stored <= said_until else "unsaid"
    columns = {name: getattr(event, name) for name in archive.EVENT}
    return {"kind": "event", **columns, "own": own}


def _own(page: list[LoggedEvent]) -> dict[tuple[str, int], int]:
    """Return the notification ids of those events that are the portal's own."""
    rows = StoredEvent.objects.filter(originator_id__in={event.stream for event in page})
    return {
        (stream, sequence): number
        for stream, sequence, number in rows.values_list(
            "originator_id", "originator_version", "id"
        )
    }


def _resume(part: Path) -> tuple[Counter[str], int]:
    """Cut off what comes after the last whole event; return what is there and its position."""
    if not part.exists():
        return Counter(), 0
    whole, events, position = 0, 0, 0
    with part.open("rb") as file:
        for raw in file:
            try:
                line = json.loads(raw) if raw.endswith(b"\n") else {}
            except ValueError:
                break
            if line.get("kind") not in {"header", "event"}:
                break
            if line["kind"] == "event":
                events, position = events + 1, line["position"]
            whole += len(raw)
    with part.open("r+b") as file:
        file.truncate(whole)
    return Counter(event=events) if events else Counter(), position
