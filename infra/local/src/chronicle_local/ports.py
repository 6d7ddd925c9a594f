"""Ports of 127.0.0.1: is one free, and if not, who has it?"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from chronicle_local.errors import PortTaken

LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp
LOOPBACK = "0100007F"  # 127.0.0.1 there, on the little-endian machines that Python has wheels for


def require_free(port: int, *, setting: str, purpose: str, udp: bool = False) -> None:
    """Raise `PortTaken`, naming port, setting and holder, unless 127.0.0.1 has the port free."""
    kinds = [socket.SOCK_STREAM, *([socket.SOCK_DGRAM] if udp else [])]
    if all(_can_bind(port, kind) for kind in kinds):
        return
    holder = holder_of(port)
    by = f" by {holder}" if holder else ""
    raise PortTaken(
        f"port {port} of 127.0.0.1, wanted for {purpose}, is taken{by}; "
        f"stop that, or choose another port with {setting}=..."
    )


def holder_of(port: int) -> str | None:
    """Return the process that listens on a port as "name (pid N)", where /proc tells."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if inodes & _held(process):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                return f"process {process.name} ({words[:120]})"
        except OSError:
            continue  # it has ended, or belongs to somebody else
    return None


def listened_by(pid: int) -> list[int]:
    """Return the TCP ports of 127.0.0.1 on which a process listens, where /proc tells."""
    inodes = _held(Path("/proc", str(pid)))
    return sorted(
        port
        for table, address, port, inode in _sockets()
        if table == "tcp" and address == LOOPBACK and inode in inodes
    )


def _can_bind(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As the servers do: a connection in TIME_WAIT is no holder.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
        except OSError:
            return False
    return True


def _listening_inodes(port: int) -> set[str]:
    return {inode for _, _, taken, inode in _sockets() if taken == port}


def _sockets() -> Iterator[tuple[str, str, int, str]]:
    """Yield table, address (hexadecimal, as in /proc/net), port and inode of what listens."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            address, _, port = fields[1].rpartition(":")
            if fields[3] == LISTENING or table.startswith("udp"):
                yield table, address, int(port, 16), fields[9]


def _held(process: Path) -> set[str]:
    """Return the inodes of a process's sockets."""
    targets = set()
    for entry in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            targets.add(str(entry.readlink()))
    return {
        target.removeprefix("socket:[").removesuffix("]")
        for target in targets
        if target.startswith("socket:[")
    }
