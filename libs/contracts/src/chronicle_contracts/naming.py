"""Names that cross services: jobs, runs, streams and keys of the recording store."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

# Jobs name message groups (SNS allows 128 characters) and folders.
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

# Torrent clients rewrite other characters, and then seeding in place finds no file.
FILENAME = re.compile(r"[A-Za-z0-9._-]{1,200}")

RECORDING_SUFFIX = ".mkv"


def is_job_id(text: str) -> bool:
    """Return whether a text may name a job: a letter or digit, then up to 63 of [A-Za-z0-9_-]."""
    return JOB_ID.fullmatch(text) is not None


def slug(text: str, *, longest: int = 120) -> str:
    """Return a text as a safe part of a file name: `[A-Za-z0-9._-]`, never empty, no path."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")
    return safe[:longest].rstrip("-._") or "recording"


def recording_key(job_id: str, filename: str, requested_at: datetime) -> str:
    """Return `recordings/YYYY/MM/DD/<name>-<8 hex digits of the job>.mkv`.

    The digits keep two jobs that chose the same name on the same day apart.
    """
    stem = slug(filename.removesuffix(RECORDING_SUFFIX))
    mark = hashlib.sha256(job_id.encode()).hexdigest()[:8]
    return f"recordings/{requested_at:%Y/%m/%d}/{stem}-{mark}{RECORDING_SUFFIX}"


def torrent_key(key: str) -> str:
    """Return where the torrent of an object lies: beside it."""
    return f"{key}.torrent"


def watch_key(key: str) -> str:
    """Return where the torrent of an object lies for clients that watch a folder."""
    return f"watch/{key.rsplit('/', 1)[-1]}.torrent"


def run_id(job_id: str, attempt: int) -> str:
    """Return the name of an attempt's run: the same however often a launch is repeated."""
    return f"{job_id}.{attempt}"


def credentials_name(job_id: str, mark: str) -> str:
    """Return the name of the secret with a job's cookies and headers.

    The mark is random: who may choose a job's id must not name a secret of somebody else.
    """
    return f"{job_id}.{mark}"


def job_of_credentials(name: str) -> str:
    """Return the job to which the secret of this name belongs."""
    return name.rpartition(".")[0]


def portal_stream(job_id: str) -> str:
    """Return the stream in which the portal says what was asked of a job."""
    return f"portal/{job_id}"


def dispatcher_stream(job_id: str) -> str:
    """Return the stream in which the dispatcher says what it decided about a job."""
    return f"dispatcher/{job_id}"


def recorder_stream(run_id: str) -> str:
    """Return the stream of one run."""
    return f"recorder/{run_id}"


def seeder_stream(job_id: str) -> str:
    """Return the stream in which the seeder says what became of a job's torrent."""
    return f"seeder/{job_id}"
