"""opentracker, which serves only the info-hashes of its whitelist; or no tracker of ours."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import structlog
from chronicle_storage import write_atomically

log = structlog.get_logger(__name__)

NOBODY = "0" * 40
REFUSAL = b"failure reason"
PATIENCE = 3.0  # seconds; the whitelist is read within milliseconds of the signal


class NoTracker:
    """Other people's trackers serve everything; there is nobody to tell."""

    def allow(self, info_hash: str) -> None:
        """Do nothing."""

    def forbid(self, info_hash: str) -> None:
        """Do nothing."""


class WhitelistTracker:
    """An opentracker that shares a machine with us.

    `whitelist` has one info-hash a line; `pid_file` names the process that reads it again on
    SIGHUP; `announce` is its HTTP address, asked until it accepts, because a client that is
    refused comes back only half an hour later.
    """

    def __init__(
        self, whitelist: Path, *, pid_file: Path | None = None, announce: str | None = None
    ) -> None:
        self._whitelist = whitelist
        self._pid_file = pid_file
        self._announce = announce
        self._lock = threading.Lock()

    def allow(self, info_hash: str) -> None:
        """Add the info-hash, tell the tracker, wait until it knows."""
        with self._lock:
            listed = self._read()
            if info_hash in listed:
                return
            self._write(listed | {info_hash})
        self._wait_until_accepted(info_hash)

    def forbid(self, info_hash: str) -> None:
        """Remove the info-hash and tell the tracker."""
        with self._lock:
            listed = self._read()
            if info_hash in listed:
                self._write(listed - {info_hash})

    def _read(self) -> set[str]:
        try:
            return set(self._whitelist.read_text().split()) - {NOBODY}
        except FileNotFoundError:
            return set()

    def _write(self, listed: set[str]) -> None:
        # opentracker does not read an empty file, and would go on with what it had.
        lines = "".join(f"{info_hash}\n" for info_hash in sorted(listed or {NOBODY}))
        write_atomically(self._whitelist, [lines.encode()])
        self._whitelist.chmod(0o644)  # the tracker runs as nobody; info-hashes are no secret
        self._signal()

    def _signal(self) -> None:
        if self._pid_file is None:
            return
        try:
            pid = int(self._pid_file.read_text())
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError) as error:
            log.warning("tracker_not_running", pid_file=str(self._pid_file), reason=str(error))
            return
        # The tracker may have ended and its number be somebody else's; SIGHUP would end them.
        if name != "opentracker":
            log.warning("tracker_not_running", pid_file=str(self._pid_file), pid=pid, name=name)
            return
        os.kill(pid, signal.SIGHUP)

    def _wait_until_accepted(self, info_hash: str) -> None:
        if self._announce is None or self._pid_file is None:
            return
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = _probe(self._announce, info_hash)
            if answer is None:
                break  # it is down; it reads the whole whitelist when it comes up
            if REFUSAL not in answer:
                return
            time.sleep(0.02)
        log.warning("tracker_did_not_accept", info_hash=info_hash, announce=self._announce)


def _probe(announce: str, info_hash: str) -> bytes | None:
    """Announce that a peer left, which registers nobody; None where nobody answers."""
    query = urlencode(
        {
            "info_hash": bytes.fromhex(info_hash),
            "peer_id": b"-CH0000-000000000000",
            "port": 1,
            "uploaded": 0,
            "downloaded": 0,
            "left": 0,
            "compact": 1,
            "event": "stopped",
        }
    )
    if urlsplit(announce).scheme not in {"http", "https"}:
        return None
    try:
        with urlopen(f"{announce}?{query}", timeout=1.0) as response:  # noqa: S310 - checked above
            answer: bytes = response.read(4096)
    except HTTPError as error:
        return error.read(4096)
    except (URLError, OSError):
        return None
    return answer
