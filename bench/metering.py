"""What processes take: memory, processor, disk, as the kernel counts them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dispatcher.adapters import procfs

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Use:
    """What a family of processes takes now; of memory its share (PSS) in bytes."""

    memory: int
    processor: float  # seconds so far, those of ended children included


def use_of(leaders: Iterable[int]) -> Use:
    """Return what processes and all their descendants take."""
    memory, processor = 0, 0.0
    for pid in {one.pid for leader in leaders for one in procfs.family_of(leader)}:
        with suppress(OSError):
            memory += _share(pid)
            processor += _processor(pid)
    return Use(memory, processor)


def _share(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _processor(pid: int) -> float:
    # proc(5): utime, stime and those of the children that were waited for.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(int(field) for field in fields) / TICKS


@dataclass
class Disk:
    """The most that a folder took on the disk while it was watched, in bytes."""

    peak: int = 0


@contextmanager
def watched(folder: Path, *, every: float = 0.05) -> Iterator[Disk]:
    """Watch the blocks below a folder."""
    disk, stop = Disk(), threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            disk.peak = max(disk.peak, blocks(folder))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield disk
    finally:
        stop.set()
        thread.join()
        disk.peak = max(disk.peak, blocks(folder))


def blocks(folder: Path) -> int:
    """Return the bytes that the files below a folder take: holes are not counted."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_blocks * 512
    return total
