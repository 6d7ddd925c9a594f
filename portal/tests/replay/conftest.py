"""What tests of the replay tooling share."""

from __future__ import annotations

import pytest
from django.db import connection
from portal.eventlog.models import LoggedEvent
from portal.jobs.readmodel import refold
from portal.projections.registry import PROJECTIONS
from portal.replay import shadow


@pytest.fixture(autouse=True)
def only_the_live_table(db):
    """No table of another test's build: emptying the database leaves tables where they are."""
    for name in connection.introspection.table_names():
        if any(name.startswith(f"{one.table}_b") for one in PROJECTIONS):
            shadow.drop(name)


@pytest.fixture
def poison(hear):
    """Jobs of which one event cannot be read any more, as after a bad change of code."""

    def spoil(story, index=1):
        hear(story)
        rows = LoggedEvent.objects.filter(job_id=story.job_id).order_by("position")
        row = rows[index]
        LoggedEvent.objects.filter(pk=row.pk).update(envelope="{}")
        refold([story.job_id])
        return row

    return spoil
