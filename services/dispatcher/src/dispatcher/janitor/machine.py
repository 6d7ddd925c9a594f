"""What jobs left on this machine: processes, and work folders."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher.adapters import procfs
from dispatcher.adapters.run_file import launching
from dispatcher.janitor.leftover import Fate, Leftover
from dispatcher.janitor.verdict import Judge, Verdict

# A recorder that has delivered goes on saying so for at most ten minutes.
LAST_WORDS = timedelta(minutes=15)
GONE = ".gone-"  # begins the name of a folder whose removal was begun


class Machine:
    """Finds and removes; `work` is the folder of all work folders, `grace` what files wait."""

    def __init__(self, work: Path, judge: Judge, *, grace: timedelta) -> None:
        self._work = work.resolve()
        self._judge = judge
        self._grace = grace

    def find(self, now: datetime) -> Iterator[Leftover]:
        """Yield what is left: processes first, for they use the folders."""
        yield from self._processes(now)
        yield from self._folders(now)

    def remove(self, leftover: Leftover) -> bool:
        """Remove it; False where its job goes on after all, or somebody is at work there."""
        if leftover.kind == "process":
            return self._end(leftover)
        path = Path(leftover.name)
        if path.name.startswith(GONE):
            shutil.rmtree(path, ignore_errors=True)
            return True
        return self._remove_folder(path)

    def _processes(self, now: datetime) -> Iterator[Leftover]:
        for process in procfs.processes():
            place = procfs.environment_of(process.pid).get(procfs.WORK_DIR)
            if not process.runs or place is None or Path(place).parent != self._work:
                continue
            job_id = Path(place).name
            verdict = self._judge.of(job_id)
            if verdict.how == "unknown":
                yield Leftover("process", process.reference, job_id, Fate.UNKNOWN, now)
            elif verdict.since is not None and now - verdict.since >= LAST_WORDS:
                yield Leftover("process", process.reference, job_id, Fate.REMOVE, verdict.since)

    def _folders(self, now: datetime) -> Iterator[Leftover]:
        if not self._work.is_dir():
            return
        for path in sorted(one for one in self._work.iterdir() if one.is_dir()):
            if path.name.startswith(GONE):
                yield Leftover("folder", str(path), None, Fate.REMOVE, now, _size(path))
                continue
            verdict, touched_at = self._judge.of(path.name), _touched_at(path)
            since = max(touched_at, verdict.since or touched_at)
            if verdict.how == "alive" or now - since < self._grace:
                continue
            if procfs.working_in(str(path)):
                continue  # its turn comes after theirs
            yield Leftover("folder", str(path), path.name, _fate(verdict, path), since, _size(path))

    def _end(self, leftover: Leftover) -> bool:
        assert leftover.job_id is not None
        if not self._judge.of(leftover.job_id).is_over:
            return False
        process = procfs.find(leftover.name)
        if process is not None and process.runs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        return True

    def _remove_folder(self, path: Path) -> bool:
        # 1. Nobody can launch while this is held; whoever waits for it finds a folder of its own.
        with launching(path), _recorder_lock(path) as is_free:
            # 2. A launch comes after its acceptance is stored: it is seen here, or comes later.
            if not is_free or not self._judge.of(path.name).is_over:
                return False
            # 3. In one move, so that no launch finds half a folder.
            gone = path.with_name(f"{GONE}{path.name}-{secrets.token_hex(4)}")
            path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        return True


def _fate(verdict: Verdict, path: Path) -> Fate:
    if verdict.how == "unknown":
        return Fate.UNKNOWN
    if verdict.how == "given up" and any(one.stat().st_blocks for one in path.rglob("*.mkv")):
        return Fate.MEDIA
    return Fate.REMOVE


@contextlib.contextmanager
def _recorder_lock(path: Path) -> Iterator[bool]:
    """Hold what a recorder of this job holds as long as it lives, if nobody does."""
    with (path / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _touched_at(path: Path) -> datetime:
    newest = path.stat().st_mtime
    for one in path.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            newest = max(newest, one.stat().st_mtime)
    return datetime.fromtimestamp(newest, UTC)


def _size(path: Path) -> int:
    total = 0
    for one in path.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += one.stat().st_blocks * 512  # of this size whatever the file system's are
    return total
