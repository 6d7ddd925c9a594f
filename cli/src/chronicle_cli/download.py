"""Fetching a recording: resumed where it broke off, checked, and whole or not there at all.

1. Bytes go into a hidden file beside the target whose name holds the recording's checksum: a
   part of another recording is never taken for a part of this one.
2. A lost connection, in this run or an earlier one, goes on at the part's end (Range).
3. Size and checksum are compared; only then the part gets the target's name.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from chronicle_cli.answers import Recording
from chronicle_cli.client import ApiClient
from chronicle_cli.errors import CliError, Conflict, Unreachable

TRIES = 5  # in a row that brought no byte
PAUSE = 1.0  # seconds before the connection is made again

Report = Callable[[int], None]  # gets the bytes that are there


def part_of(target: Path, recording: Recording) -> Path:
    """Return the file that a download of this recording grows in."""
    return target.with_name(f".{target.name}.{recording.checksum.value[:16]}.part")


def can_verify(algorithm: str) -> bool:
    """Return whether Python has the algorithm of a checksum; else the size alone is compared."""
    return algorithm in hashlib.algorithms_guaranteed


def is_whole(path: Path, recording: Recording) -> bool:
    """Return whether a file is the recording: its size and, where we can tell, its checksum."""
    if not path.is_file() or path.stat().st_size != recording.size:
        return False
    checksum = recording.checksum
    if not can_verify(checksum.algorithm):
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, checksum.algorithm).hexdigest() == checksum.value


class Download:
    """Fetches one recording into one file."""

    def __init__(
        self,
        client: ApiClient,
        job_id: str,
        recording: Recording,
        target: Path,
        *,
        report: Report = lambda _: None,
        pause: float = PAUSE,
    ) -> None:
        self._client = client
        self._job_id = job_id
        self._recording = recording
        self._target = target
        self._part = part_of(target, recording)
        self._report = report
        self._pause = pause

    @property
    def there(self) -> int:
        """Bytes that are there already."""
        return self._part.stat().st_size if self._part.exists() else 0

    def run(self) -> None:
        """Fetch what is missing, check it, give it its name.

        Raises `Unreachable` (a part is kept), `CliError` where the bytes are not the recording.
        """
        self._target.parent.mkdir(parents=True, exist_ok=True)
        if self.there > self._recording.size:
            self._part.unlink()
        self._part.touch()
        fruitless = 0
        while self.there < self._recording.size:
            before = self.there
            try:
                self._fetch(before)
            except Unreachable:
                fruitless = 0 if self.there > before else fruitless + 1
                if fruitless >= TRIES:
                    raise
                time.sleep(self._pause)
        if not is_whole(self._part, self._recording):
            self._part.unlink()
            raise CliError(
                "the bytes are not the recording",
                f"{self._recording.checksum.algorithm} differs; what was fetched is deleted",
                remedy="run the command again",
            )
        with self._part.open("rb") as file:
            os.fsync(file.fileno())
        self._part.replace(self._target)

    def _fetch(self, start: int) -> None:
        with self._client.file(self._job_id, "recording", start=start) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise CliError(
                    "the recording in the store is shorter than the portal says",
                    f"nothing there from byte {start} on",
                )
            resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
            if not resumed:
                start = 0  # the range was not honoured: all of it comes again
            with self._part.open("ab" if resumed else "wb") as file:
                # As they come: chunks of a size of ours would be lost with the connection.
                for chunk in answer.iter_raw():
                    start += len(chunk)
                    if start > self._recording.size:
                        raise CliError("the recording in the store is longer than the portal says")
                    file.write(chunk)
                    self._report(start)
        if start < self._recording.size:
            raise Unreachable("the connection ended early", f"{start} bytes are there")


def choose_target(output: Path | None, name: str) -> Path:
    """Return the file to write: `output`, `name` in it where it is a folder, or `name` here."""
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output


def refuse_existing(target: Path) -> None:
    """Raise `Conflict` where the file is there already."""
    if target.exists():
        raise Conflict(
            f"{target} exists and is not this recording",
            remedy="choose another name with -o, or replace it with --force",
        )
