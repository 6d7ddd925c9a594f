"""What attempts left in the recording store: uploads, growing files, copies aside, notes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chronicle_storage import RecordingStore, Unfinished

from dispatcher.janitor.leftover import Fate, Kind, Leftover
from dispatcher.janitor.verdict import Judge, Verdict

PREFIX = "recordings/"
MARK = re.compile(r"-([0-9a-f]{8})\.mkv$")  # see `naming.recording_key`
# What lies beside a recording, under names of attempts: `<key>.attempt-1.mkv`, `<key>.turn`.
# A lost attempt may wake up late, and must still find whose turn it is (ADR 8).
NOTE_GRACE = timedelta(days=30)
BESIDE = re.compile(r"(?P<key>.+\.mkv)\.(?:(?P<aside>[\w-]+\.mkv)|(?:[\w-]+\.)?(?:turn|salvage))")


class Stored:
    """Finds and removes; `jobs` yields the ids of all jobs that were ever asked for."""

    def __init__(
        self,
        store: RecordingStore,
        judge: Judge,
        *,
        jobs: Callable[[], Sequence[str]],
        grace: timedelta,
    ) -> None:
        self._store = store
        self._judge = judge
        self._jobs = jobs
        self._grace = grace
        self._unfinished: dict[str, Unfinished] = {}

    def find(self, now: datetime) -> Iterator[Leftover]:
        """Yield what is left; raises `StoreError`."""
        before = now - self._grace
        owners = _Owners(self._jobs(), self._judge)
        self._unfinished = {
            f"{one.key} {one.id}": one for one in self._store.leftovers(PREFIX, before=before)
        }
        seen = [
            _Seen("upload", name, one.key, one.begun_at, one.size)
            for name, one in self._unfinished.items()
        ]
        for stored in self._store.list(PREFIX):
            match = BESIDE.fullmatch(stored.key)
            if match is not None and stored.modified_at < before:
                kind: Kind = "aside" if match["aside"] else "note"
                seen.append(_Seen(kind, stored.key, match["key"], stored.modified_at, stored.size))
        for one in seen:
            job_id, verdict = owners.of(one.key)
            since = max(one.touched_at, verdict.since or one.touched_at)
            grace = max(self._grace, NOTE_GRACE) if one.kind == "note" else self._grace
            if verdict.how != "alive" and since < now - grace:
                fate = self._fate(one, verdict)
                yield Leftover(one.kind, one.name, job_id, fate, since, one.size)

    def remove(self, leftover: Leftover) -> bool:
        """Remove it; False where its job goes on after all. Raises `StoreError`."""
        if leftover.job_id is None or not self._judge.of(leftover.job_id).is_over:
            return False
        if leftover.kind == "upload":
            self._store.abort(self._unfinished[leftover.name])
        else:
            self._store.delete(leftover.name)
        return True

    def _fate(self, one: _Seen, verdict: Verdict) -> Fate:
        if verdict.how == "unknown":
            return Fate.UNKNOWN
        if one.kind == "note" or verdict.how == "discarded":
            return Fate.REMOVE
        # What was delivered is proven by the object itself; nothing beside it is needed then.
        is_safe = verdict.how == "delivered" and self._store.stat(one.key) is not None
        return Fate.REMOVE if is_safe else Fate.MEDIA


@dataclass(frozen=True)
class _Seen:
    """What lies in the store, and the key of the recording that it is of."""

    kind: Kind
    name: str
    key: str
    touched_at: datetime
    size: int | None


class _Owners:
    """Whose recording a key is: the digits in it name the job, its order has the key."""

    def __init__(self, jobs: Sequence[str], judge: Judge) -> None:
        self._judge = judge
        self._jobs: dict[str, list[str]] = {}
        for job_id in jobs:
            mark = hashlib.sha256(job_id.encode()).hexdigest()[:8]
            self._jobs.setdefault(mark, []).append(job_id)

    def of(self, key: str) -> tuple[str | None, Verdict]:
        mark = MARK.search(key)
        for job_id in self._jobs.get(mark[1] if mark else "", []):
            verdict = self._judge.of(job_id)
            if verdict.key == key:
                return job_id, verdict
        return None, Verdict("unknown")
