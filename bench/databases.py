"""The portal's two databases for benchmarks: new, migrated, as durable as in production."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.postgres import running_server

ROOT = Path(__file__).parents[1]
KINDS = ("sqlite", "postgresql")
MANAGE = ROOT / "portal" / "manage.py"


@contextmanager
def portal_database(kind: str) -> Iterator[dict[str, str]]:
    """Yield the environment of processes of a portal with a new database of this kind."""
    with tempfile.TemporaryDirectory(prefix="chronicle-bench-") as home:
        env = {
            "PATH": os.environ["PATH"],
            "CHRONICLE_HOME": home,
            "CHRONICLE_LOG_LEVEL": "ERROR",
            "DJANGO_SECRET_KEY": "of-a-benchmark-" * 4,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        if kind == "sqlite":
            _migrate(env)
            yield env
            return
        with running_server(durable=True) as server:
            name = server.create_database()
            env["CHRONICLE_DATABASE_URL"] = (
                f"postgresql://{server.user}@127.0.0.1:{server.port}/{name}"
            )
            _migrate(env)
            yield env


def _migrate(env: dict[str, str]) -> None:
    subprocess.run([sys.executable, str(MANAGE), "migrate", "-v", "0"], env=env, check=True)
