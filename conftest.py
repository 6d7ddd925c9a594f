"""Fixtures that tests of several packages share; each module under tests/fixtures is a plugin."""

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.aws",
    "tests.fixtures.live",
    "tests.fixtures.p2p",
    "tests.fixtures.postgres",
]

# What takes half a minute and more is begun first: the workers then end at about the same time.
# The heaviest are not neighbours, so that no two of them share the machine.
LONG = (
    "tests/faults/test_faults.py",
    "services/recorder/tests/test_process.py",
    "services/recorder/tests/test_dash.py",
    "portal/tests/jobs/test_crashes.py",
    "tests/e2e/test_survival.py",
    "tests/e2e/test_demo.py",
    "services/recorder/tests/test_hls.py",
    "services/recorder/tests/test_lost_machine.py",
    "services/recorder/tests/varieties/test_hls_varieties.py",
    "tests/databases/test_portal_on_postgres.py",
    "tests/dispatch/test_supervised.py",
    "tests/dispatch/test_first_second.py",
    "tests/dispatch/test_secrets.py",
    "services/recorder/tests/varieties/test_dash_varieties.py",
    "services/recorder/tests/test_process_ends.py",
    "services/recorder/tests/test_process_attempts.py",
    "services/recorder/tests/egress/test_bounds.py",
    "services/recorder/tests/varieties/test_changed_media.py",
    "services/recorder/tests/varieties/test_ytdlp_varieties.py",
    "services/recorder/tests/varieties/test_other_varieties.py",
    "services/recorder/tests/test_shelf.py",
    "services/dispatcher/tests/test_main.py",
    "services/seeder/tests/test_engines.py",
    "portal/tests/jobs/test_processes.py",
    "portal/tests/replay/test_work.py",
    "portal/tests/admin/test_pages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the long files to the front; within a file nothing changes its place."""
    root = Path(__file__).parent
    places = {root / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))
