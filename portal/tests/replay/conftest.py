"""What tests of the replay tooling share."""

from __future__ import annotations

import pytest
from django.db import connection
from portal.projections.registry import PROJECTIONS
from portal.replay import shadow


@pytest.fixture(autouse=True)
def only_the_live_table(db):
    """No table of another test's build: emptying the database leaves tables where they are."""
    for name in connection.introspection.table_names():
        if any(name.startswith(f"{one.table}_b") for one in PROJECTIONS):
            shadow.drop(name)
