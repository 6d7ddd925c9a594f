"""Proof that others can have a recording: a second BitTorrent client fetches it from our seeder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import libtorrent

from chronicle_local.errors import StepFailed

ARIA2 = "aria2c"
ARIA2_INTERFACE = "127.0.0.6"


@dataclass(frozen=True)
class Fetched:
    """What came over, and which client fetched it."""

    client: str
    path: Path
    size: int


def fetch(torrent: bytes, folder: Path, *, peer: str | None, timeout: float = 90.0) -> Fetched:
    """Fetch the torrent's one file into `folder`, from peers alone.

    aria2 where it is installed and the torrent names a tracker (it cannot be told of a peer),
    else libtorrent in a process of its own, told of our seeder by `peer` (host:port). The web seed
    is taken out of the torrent first; the info-hash does not cover it. Raises `StepFailed`.
    """
    fields = cast("dict[bytes, Any]", libtorrent.bdecode(torrent))
    fields.pop(b"url-list", None)
    path = folder / "wanted.torrent"
    path.write_bytes(libtorrent.bencode(cast("Any", fields)))
    name = fields[b"info"][b"name"].decode()
    if shutil.which(ARIA2) and b"announce" in fields:
        client, command = "aria2", _aria2(path, folder, timeout)
    else:
        client, command = "libtorrent", _libtorrent(path, folder, peer, timeout)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout + 15,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{client} did not fetch {name} within {timeout:g} s") from error
    if done.returncode != 0 or not (folder / name).is_file():
        said = (done.stdout + done.stderr).strip()[-1000:]
        raise StepFailed(f"{client} (exit code {done.returncode}) did not fetch {name}: {said}")
    return Fetched(client, folder / name, (folder / name).stat().st_size)


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _aria2(torrent: Path, folder: Path, timeout: float) -> list[str]:
    return [
        *(ARIA2, f"--interface={ARIA2_INTERFACE}", f"--dir={folder}"),
        *("--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false"),
        *("--enable-peer-exchange=false", "--seed-time=0", "--file-allocation=none"),
        *(
            "--no-conf",
            "--console-log-level=warn",
            "--summary-interval=0",
            "--download-result=full",
        ),
        *("--check-integrity=true", f"--bt-stop-timeout={timeout:.0f}", str(torrent)),
    ]


def _libtorrent(torrent: Path, folder: Path, peer: str | None, timeout: float) -> list[str]:
    command = [sys.executable, "-m", "chronicle_local.fetch", str(torrent), str(folder)]
    return [*command, "--timeout", f"{timeout:g}", *(["--peer", peer] if peer else [])]
