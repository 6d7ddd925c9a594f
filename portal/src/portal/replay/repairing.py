"""Repairing gaps: from the recorder's journal, the portal's store, or by asking the publisher."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import transaction

from portal.downloads.store import recording_store
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.locking import lock_log
from portal.eventlog.models import StoredEvent, StreamCursor
from portal.jobs.readmodel import refold
from portal.replay import gaps, repeats
from portal.replay.errors import BadParameters, NotThere, ReplayError
from portal.replay.gaps import Gap
from portal.replay.journals import Journal, read_journal
from portal.replay.records import Call, Report, Run, running

_BATCH = 200
_ELSEWHERE = "only its publisher has it, which is asked to say it again"
_LOOK = 0.2  # seconds
# In which a publisher that lives has said again what it was asked for.
ANSWER_TIME = 10.0  # seconds


def find_gaps(call: Call, *, jobs: Collection[str] = ()) -> Report:
    """List the gaps; each counts as something left."""
    report = Report("gaps", call.dry_run)
    for gap in gaps.find(jobs=jobs):
        report.items.append(gap.as_item())
        report.counts[gap.kind] += 1
        report.left += 1
    return report


def repair_gaps(call: Call, *, jobs: Collection[str] = (), wait: float = 0.0) -> Report:
    """Put what is missing into the log, through the inbox, where it can still be had.

    A stream without a seal counts as whole once the journal shows that nothing came after.
    What only its publisher has is asked for; `wait` is how many seconds to wait for answers.
    What remains is left, with the reason.
    """
    by_job: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps.find(jobs=jobs):
        by_job[gap.job_id].append(gap)
    with running(call, "gaps", {"repair": True, "jobs": sorted(jobs)}) as run:
        repairs = [_Repair(job_id, lacking) for job_id, lacking in by_job.items()]
        for number, repair in enumerate(repairs, start=1):
            repair.carry_out(run, dry_run=call.dry_run, by=call.by)
            run.step(number, len(repairs))
        until = time.monotonic() + wait
        while any(repair.waits for repair in repairs) and time.monotonic() < until:
            time.sleep(_LOOK)
        for repair in repairs:
            repair.tell(run, dry_run=call.dry_run)
    return run.report


def accept_gap(call: Call, stream: str, *, reason: str) -> Report:
    """Take a stream without a seal for whole as it is: its recorder died, nothing is left of it.

    Raises `NotThere` where the stream has no lost tail, `BadParameters` without a reason.
    """
    if not reason.strip():
        raise BadParameters("say why the stream is taken for whole", field="reason")
    tails = (gap for gap in gaps.find() if gap.kind in {"tail", "unheard"})
    gap = next((gap for gap in tails if gap.stream == stream), None)
    if gap is None:
        raise NotThere(f"stream {stream!r} has no lost tail; `gaps` lists those that have one")
    with running(call, "gaps", {"accept": stream, "reason": reason}) as run:
        run.note(**gap.as_item(), became="taken for whole")
        run.count("accepted")
        if not call.dry_run:
            _end(stream, gap.job_id, None, f"{call.by or 'somebody'}: {reason}")
    return run.report


class _Repair:
    """What can be done for one job."""

    def __init__(self, job_id: str, lacking: Sequence[Gap]) -> None:
        self._job_id = job_id
        self._lacking = lacking
        self._journal = Journal(job_id, {})
        self._problem = _ELSEWHERE
        self._asked: set[tuple[str, str]] = set()
        if any(gap.source == "journal" for gap in lacking):
            try:
                self._journal = read_journal(job_id, recording_store())
                self._problem = "its journal has no more either"
            except ReplayError as error:
                self._problem = error.detail

    @property
    def waits(self) -> bool:
        """Whether something that was asked for has not come yet."""
        return bool(self._asked) and bool(self._asked & self._still_open())

    def carry_out(self, run: Run, *, dry_run: bool, by: str) -> None:
        """Repair what can be repaired at once, ask for the rest."""
        if dry_run:
            return
        self._put_into_the_log(run)
        self._end_streams()
        now = self._still_open()
        for gap in self._lacking:
            if gap.source == "its publisher" and (gap.kind, gap.stream) in now:
                self._ask(gap, run, by)

    def tell(self, run: Run, *, dry_run: bool) -> None:
        """Say what became of each gap."""
        now = set() if dry_run else self._still_open()
        for gap in self._lacking:
            if dry_run:
                helps = self._would_help(gap)
                asked = gap.source == "its publisher"
                word = "would be asked for" if asked else "can be repaired"
            else:
                helps = (gap.kind, gap.stream) not in now
                word = "repaired"
            run.note(**gap.as_item(), became=word if helps else self._reason(gap))
            run.count(word if helps else "not repaired")
            run.leave(int(not helps))

    def _still_open(self) -> set[tuple[str, str]]:
        return {(gap.kind, gap.stream) for gap in gaps.find(jobs=[self._job_id])}

    def _ask(self, gap: Gap, run: Run, by: str) -> None:
        self._asked.add((gap.kind, gap.stream))
        if repeats.is_asked_for(gap.job_id, gap.stream):
            return
        for first, last in gap.missing:
            repeats.publish(gap.job_id, gap.stream, first, last, by=by)
            run.count("asked for")

    def _reason(self, gap: Gap) -> str:
        return self._problem if gap.source == "journal" else _ELSEWHERE

    def _lines(self, gap: Gap) -> list[str]:
        return _stored(gap.stream) if gap.is_ours else self._journal.lines(gap.stream)

    def _put_into_the_log(self, run: Run) -> None:
        lines = [line for gap in self._lacking for line in self._lines(gap)]
        inbox = Inbox(refold)
        for start in range(0, len(lines), _BATCH):
            receipt = inbox.receive([Arrival(line) for line in lines[start : start + _BATCH]])
            run.count("events", len(receipt.stored))

    def _end_streams(self) -> None:
        ends = self._journal.ends()
        for gap in self._lacking:
            if gap.kind in {"tail", "unheard"} and gap.stream in ends:
                _end(gap.stream, self._job_id, ends[gap.stream], "its journal")

    def _would_help(self, gap: Gap) -> bool:
        if gap.source != "journal":
            return True
        known = self._journal.streams.get(gap.stream, {})
        if gap.kind == "hole":
            return all(
                sequence in known
                for first, last in gap.missing
                for sequence in range(first, (last or first) + 1)
            )
        # A tail: the journal has its seal, or knows that nothing came after.
        sealed = any(event.sealed for event, _ in known.values())
        ends = self._journal.ends()
        return sealed or ends.get(gap.stream, -1) >= gap.missing[0][0] - 1


def _stored(stream: str) -> list[str]:
    rows = StoredEvent.objects.filter(originator_id=stream).order_by("originator_version")
    return [bytes(state).decode() for state in rows.values_list("state", flat=True)]


def _end(stream: str, job_id: str, last: int | None, by: str) -> None:
    """Note where a stream ends; not before what was heard of it (None: there)."""
    with transaction.atomic():
        lock_log()
        cursor, _ = StreamCursor.objects.get_or_create(stream=stream, defaults={"job_id": job_id})
        if last is None or last >= cursor.highest:
            cursor.ended_at_sequence = cursor.highest if last is None else last
            cursor.ended_by = by[:255]
            cursor.save()
