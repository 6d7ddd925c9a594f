"""Killing members of a recorder's family, as the kernel or a person does: SIGKILL, unannounced."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Literal

from dispatcher.adapters import procfs

# "child": whatever asks the site or fetches for the recorder. "machine" is "all", and the disk.
Member = Literal["recorder", "ffmpeg", "child", "all", "machine"]
OUTLIVED: tuple[Member, ...] = ("ffmpeg", "child")  # the recorder goes on without these


def kill(member: Member, leader: subprocess.Popen[bytes]) -> None:
    """Kill so much of the family; where the recorder is among it, it is gone afterwards."""
    family = [one.pid for one in procfs.family_of(leader.pid)]
    if member in {"recorder", "ffmpeg"}:
        family = [pid for pid in family if _is_ffmpeg(pid) == (member == "ffmpeg")]
    elif member == "child":
        family = children(leader)
    # The leader first: it must not see the others die.
    for pid in sorted(family, key=lambda pid: pid != leader.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if member not in OUTLIVED:
        leader.wait()


def children(leader: subprocess.Popen[bytes]) -> list[int]:
    """Return what the recorder has started, but for its ffmpeg."""
    family = [one.pid for one in procfs.family_of(leader.pid)]
    return [pid for pid in family if pid != leader.pid and not _is_ffmpeg(pid)]


def _is_ffmpeg(pid: int) -> bool:
    try:
        return "ffmpeg" in str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return False  # gone since it was listed
