"""The tracker of the one-machine stack: opentracker in whitelist mode, where it is installed.

As a process of the stack this module renders the configuration, leaves its process id for those
who send SIGHUP after a change of the whitelist, and then becomes opentracker. As root it gives
its rights up (user nobody, changed root); otherwise it runs as whoever runs the stack.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

EXECUTABLE = "opentracker"
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Tracker:
    """Where the tracker listens and keeps its files."""

    folder: Path
    port: int
    executable: str

    @classmethod
    def find(cls, folder: Path, port: int) -> Self | None:
        """Return the tracker of this machine, or None where opentracker is not installed."""
        executable = shutil.which(EXECUTABLE, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return cls(folder, port, executable) if executable else None

    @property
    def whitelist(self) -> Path:
        """The info-hashes that it serves, one of 40 hex digits a line."""
        return self.folder / "root" / "whitelist.txt"

    @property
    def pid_file(self) -> Path:
        """Whom to send SIGHUP once the whitelist has changed."""
        return self.folder / "opentracker.pid"

    @property
    def announce_urls(self) -> tuple[str, ...]:
        """The addresses for torrents: UDP, and HTTP for clients that have no UDP trackers."""
        return (
            f"udp://127.0.0.1:{self.port}/announce",
            f"http://127.0.0.1:{self.port}/announce",
        )

    @property
    def health(self) -> str:
        """An address that answers once it serves; loopback may read the statistics."""
        return f"http://127.0.0.1:{self.port}/stats?mode=peer"

    @property
    def command(self) -> Sequence[str]:
        """How it is run as a process of the stack."""
        return [
            *(sys.executable, "-m", "chronicle_local.tracker"),
            *("--folder", str(self.folder), "--port", str(self.port)),
        ]

    @property
    def environment(self) -> Mapping[str, str]:
        """What the seeder has to know of it."""
        return {
            "TRACKERS": ",".join(self.announce_urls),
            "CHRONICLE_TRACKER_WHITELIST": str(self.whitelist),
            "CHRONICLE_TRACKER_PID_FILE": str(self.pid_file),
        }

    def prepare(self) -> Path:
        """Write configuration and, where there is none yet, an empty whitelist; return the first.

        Relative to the root folder the whitelist is found with and without a changed root.
        """
        self.whitelist.parent.mkdir(parents=True, exist_ok=True)
        self.whitelist.parent.chmod(0o755)  # nobody must read it; it holds no secret
        self.whitelist.touch(mode=0o644)
        configuration = self.folder / "opentracker.conf"
        configuration.write_text(
            f"listen.tcp_udp 127.0.0.1:{self.port}\n"
            f"access.whitelist {self.whitelist.name}\n"
            "access.stats 127.0.0.1\n"
            f"tracker.rootdir {self.whitelist.parent}\n"
            f"tracker.user {UNPRIVILEGED}\n"
        )
        return configuration

    def become(self) -> None:
        """Replace this process by the tracker; does not return."""
        configuration = self.prepare()
        partial = self.pid_file.with_suffix(".new")
        partial.write_text(f"{os.getpid()}\n")
        partial.replace(self.pid_file)
        os.execv(self.executable, [self.executable, "-f", str(configuration)])  # noqa: S606


def main() -> None:
    """Become the tracker."""
    parser = argparse.ArgumentParser(prog="chronicle_local.tracker", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    tracker = Tracker.find(arguments.folder, arguments.port)
    if tracker is None:
        raise SystemExit(f"{EXECUTABLE} is not installed; without it there is no tracker here")
    tracker.become()


if __name__ == "__main__":
    main()
