"""What the portal keeps, it keeps on PostgreSQL as on SQLite: the same tests, on a real server.

By themselves the portal's tests run on SQLite; Django binds a process to one database, so here
they run once more in a process of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

TESTS = (
    *("eventlog/test_inbox.py", "eventlog/test_recorder.py", "catalogue/test_tally.py"),
    *("jobs/test_readmodel.py", "jobs/test_commands.py"),
    *("replay/test_both_versions.py", "replay/test_rebuild.py", "replay/test_archive.py"),
    *("replay/test_import_equals.py", "replay/test_parked.py", "replay/test_table_names.py"),
    "projections/test_order_of_arrival.py",
)
LONGEST = 600  # seconds; they take less than a minute


@pytest.mark.timeout(LONGEST)
class TestPortalOnPostgres:
    def test_passes_its_own_tests(self, postgres):
        env = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        database = postgres.create_database()
        env["CHRONICLE_DATABASE_URL"] = (
            f"postgresql://{postgres.user}@127.0.0.1:{postgres.port}/{database}"
        )
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                *(f"portal/tests/{path}" for path in TESTS),
            ],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
