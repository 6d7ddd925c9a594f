"""An import of an export is equal: log, marks, cursors and every read model, of any history."""

from __future__ import annotations

import random

import pytest
from chronicle_contracts import encode
from chronicle_contracts.catalogue import event_types, golden_files
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal.eventlog.inbox import Arrival, Inbox
from portal.eventlog.models import (
    LoggedEvent,
    ParkedJob,
    QuarantinedMessage,
    SkippedEvent,
    StreamCursor,
)
from portal.jobs.readmodel import refold
from portal.projections.registry import PROJECTIONS
from portal.replay.exporting import export
from portal.replay.importing import import_log
from portal.replay.records import Call

from portal.tests.projections.test_order_of_arrival import recorded
from tests.fixtures.commands import manage

pytestmark = pytest.mark.django_db

TABLES: tuple[type[Model], ...] = (
    *(LoggedEvent, StreamCursor, SkippedEvent, QuarantinedMessage, ParkedJob),
    *(one.model for one in PROJECTIONS),
)
# Numbers that a database gives, and when a job was parked here.
OWN = {"id", "parked_at"}


def empty():
    for table in TABLES:
        table._default_manager.all().delete()


def everything():
    """All rows of the log and of every read model, without what a database makes up."""
    found = {}
    for table in TABLES:
        keep = {field.attname for field in table._meta.fields}
        if table._meta.pk.get_internal_type() == "BigAutoField" and table is not LoggedEvent:
            keep -= OWN
        rows = table._default_manager.values(*sorted(keep - {"parked_at"}))
        found[table.__name__] = sorted(rows, key=repr)
    return found


def carried_over(file):
    """What an empty system has after it took in the export of this one."""
    export(Call(), file)
    empty()
    import_log(Call(), file)
    return everything()


class TestAnyHistory:
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(seed=st.integers(0, 2**32), jobs=st.integers(1, 3))
    def test_is_equal_after_export_and_import(self, tmp_path_factory, seed, jobs):
        empty()
        chance = random.Random(seed)
        events = [event for _ in range(jobs) for event in recorded(chance)]
        chance.shuffle(events)  # as it was heard, not as it was said
        del events[: chance.randrange(3)]  # and not all of it
        bodies = [encode(event).decode() for event in events] + ["{broken"] * chance.randrange(2)
        for start in range(0, len(bodies), 7):
            Inbox(refold).receive([Arrival(body) for body in bodies[start : start + 7]])
        milestones = LoggedEvent.objects.filter(progress=False).order_by("position")
        if milestones and chance.random() < 0.5:
            # An event that nobody can read any more, and that a person has passed over.
            row = chance.choice(milestones)
            LoggedEvent.objects.filter(pk=row.pk).update(envelope="{}")
            refold([row.job_id])
            assert manage("parked", "skip", row.job_id, "--reason", "nonsense").code == 0
        before = everything()
        folder = tmp_path_factory.mktemp("export")
        assert carried_over(folder / "one.jsonl") == before
        export(Call(), folder / "two.jsonl")
        assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()


class TestEveryVersion:
    def test_of_every_event_is_carried_over_as_it_came(self, tmp_path):
        bodies = {}
        for one in event_types():
            bodies[one.type] = golden_files(one.type, "message")[-1].read_text()
        receipt = Inbox(refold).receive([Arrival(body) for body in bodies.values()])
        stored = {row.type: row.envelope for row in receipt.stored}
        assert stored.items() <= bodies.items()
        before = everything()
        assert carried_over(tmp_path / "log.jsonl") == before
        assert dict(LoggedEvent.objects.values_list("type", "envelope")) == stored
