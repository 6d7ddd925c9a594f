"""Records of what was done, and the report that every verb returns."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from portal.replay.models import Replay

log = structlog.get_logger(__name__)

Item = dict[str, Any]

# A record keeps the first ones; a command prints them all.
MOST_ITEMS = 200
_SAVE_EVERY = 1.0  # seconds
# Seconds between two signs of life of whoever carries out a verb.
BEAT = 5.0


def _nobody(*_: Any) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Call:
    """Who calls a verb and how.

    `progress` gets what is done and how much there is (None: not known). A dry run changes
    nothing and leaves no record; everything else leaves one, in `record` where that is there.
    """

    by: str = ""
    dry_run: bool = False
    progress: Callable[[int, int | None], None] = _nobody
    record: Replay | None = None


@dataclass
class Report:
    """What a verb did: counts, single things, and how many are left undone."""

    verb: str
    dry_run: bool = False
    record: UUID | None = None
    counts: Counter[str] = field(default_factory=Counter)
    items: list[Item] = field(default_factory=list)
    left: int = 0

    @property
    def exit_code(self) -> int:
        """0 when all is done, 1 when something is left."""
        return 1 if self.left else 0

    def as_json(self) -> dict[str, Any]:
        """Return it as the API and `--json` show it."""
        return {
            "verb": self.verb,
            "dry_run": self.dry_run,
            "record": str(self.record) if self.record else None,
            "counts": dict(self.counts),
            "left": self.left,
            "items": self.items,
        }


class Run:
    """A verb at work: counts, notes, and the progress that others see."""

    def __init__(self, call: Call, report: Report, record: Replay | None) -> None:
        self._call = call
        self._saved = time.monotonic()
        self.report = report
        self.record = record

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.report.counts[name] += number

    def note(self, **item: Any) -> None:
        """Keep a single thing that was found or done."""
        self.report.items.append(item)

    def leave(self, number: int = 1) -> None:
        """Something could not be done."""
        self.report.left += number

    def step(self, done: int, total: int | None = None, *, checkpoint: int | None = None) -> None:
        """Show how far it is; what is over before `checkpoint` is not done again."""
        if self.record is not None:
            self.record.done, self.record.total = done, total
            if checkpoint is not None:
                self.record.checkpoint = checkpoint
            if time.monotonic() - self._saved >= _SAVE_EVERY:
                self._saved = time.monotonic()
                _save(self.record, self.report)
        self._call.progress(done, total)


@contextmanager
def running(
    call: Call,
    verb: str,
    parameters: Mapping[str, Any],
    *,
    resumed: Replay | None = None,
) -> Iterator[Run]:
    """Open a record, and close it with how it ended; errors and interruptions pass through."""
    record = None if call.dry_run else (resumed or _opened(call, verb, parameters))
    report = Report(verb, call.dry_run, record.pk if record else None)
    if resumed is not None:
        resumed.outcome, resumed.finished_at, resumed.error = Replay.Outcome.RUNNING, None, ""
        report.counts.update(resumed.counts)
    run = Run(call, report, record)
    if record is None:
        yield run
        return
    _save(record, report)
    try:
        with _renewing(record):
            yield run
    except Exception as error:
        _close(record, report, Replay.Outcome.FAILED, f"{type(error).__name__}: {error}")
        raise
    except BaseException as interruption:
        _close(record, report, Replay.Outcome.INTERRUPTED, type(interruption).__name__)
        raise
    _close(record, report, Replay.Outcome.INCOMPLETE if report.left else Replay.Outcome.DONE)


def _opened(call: Call, verb: str, parameters: Mapping[str, Any]) -> Replay:
    now = timezone.now()
    record = call.record or Replay(requested_by=call.by, updated_at=now)
    record.verb, record.started_at = verb, now
    record.parameters = {
        name: value for name, value in parameters.items() if value not in (None, ())
    }
    return record


@contextmanager
def _renewing(record: Replay) -> Iterator[None]:
    """Show every few seconds that the record's process lives, however long a step takes."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(BEAT):
            try:
                Replay.objects.filter(pk=record.pk, outcome=Replay.Outcome.RUNNING).update(
                    updated_at=timezone.now()
                )
            except DatabaseError as error:
                log.warning("record_not_renewed", replay_id=str(record.pk), error=str(error))
            finally:
                connection.close()

    beating = threading.Thread(target=renew, name="renew", daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()


def _save(record: Replay, report: Report) -> None:
    record.updated_at = timezone.now()
    record.counts, record.items = dict(report.counts), report.items[:MOST_ITEMS]
    record.left = report.left
    record.save()


def _close(record: Replay, report: Report, outcome: str, error: str = "") -> None:
    record.outcome, record.error = outcome, error.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    record.finished_at = timezone.now()
    _save(record, report)
    log.info(
        "replay_finished",
        verb=record.verb,
        replay_id=str(record.pk),
        by=record.requested_by,
        outcome=outcome,
        left=report.left,
        **{f"count_{name}": number for name, number in report.counts.items()},
    )
