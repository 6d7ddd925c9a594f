"""Setting a home up before its stack starts: database, admin user, CLI token."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from chronicle_local.errors import PreparationFailed
from chronicle_local.steps import Steps

# Each is idempotent: a second start runs through them in seconds and changes nothing.
COMMANDS = (
    ("migrate the portal's database", ("migrate", "--no-input")),
    ("admin user", ("ensure_admin",)),
    ("token of the command line", ("ensure_token", "--user", "admin", "--name", "cli")),
)
LONGEST = 180.0  # seconds for one command


def prepare(root: Path, *, environment: Mapping[str, str], log: Path, steps: Steps) -> None:
    """Run the set-up commands, their output into `log`. Raises `PreparationFailed`."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for title, arguments in COMMANDS:
        with steps.step(title):
            _manage(root, arguments, environment=environment, log=log)


def _manage(
    root: Path, arguments: tuple[str, ...], *, environment: Mapping[str, str], log: Path
) -> None:
    command = [sys.executable, str(root / "portal" / "manage.py"), *arguments]
    begin = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PreparationFailed(
                f"manage.py {arguments[0]} took more than {LONGEST:g} s; see {log}"
            ) from error
    if done.returncode != 0:
        tail = log.read_bytes()[begin:][-1500:].decode(errors="replace").strip()
        raise PreparationFailed(
            f"manage.py {arguments[0]} ended with code {done.returncode}; see {log}\n{tail}"
        )
