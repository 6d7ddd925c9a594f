"""Names of tables and their indexes, which the schema has once: nothing is ever in the way."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models
from django.db.migrations import Migration
from django.db.models.signals import pre_migrate
from portal.jobs.models import Job
from portal.projections.models import Checkpoint
from portal.projections.registry import NAMES, PROJECTIONS
from portal.replay.models import Build

from tests.fixtures.commands import columns, manage
from tests.fixtures.story import Story


def swapped():
    assert manage("rebuild").code == 0
    assert manage("swap").code == 0


def forget_builds():
    """As `manage.py flush` does: rows and counters are gone, tables and indexes stay."""
    Build.objects.all().delete()
    counter = [{"table": Build._meta.db_table, "column": "id"}]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), counter):
            cursor.execute(statement)


def about_to_migrate(app):
    """As `manage.py migrate` says it when a release brings a migration of an app."""
    plan = [(Migration("0099", app), False)]
    pre_migrate.send(sender=apps.get_app_config("replay"), plan=plan)


@pytest.mark.django_db
class TestNames:
    @pytest.mark.parametrize("swaps", [1, 2])
    def test_do_not_clash_when_numbers_of_builds_begin_anew(self, hear, swaps):
        hear(Story.whole())
        live = columns()
        for _ in range(swaps):
            swapped()
        forget_builds()
        for _ in range(4):
            swapped()
            assert columns() == live
        assert manage("rollback").code == 0
        assert columns() == live

    def test_are_of_single_columns(self):
        # A copy of a table has the indexes of its columns; those of a model would be lost.
        metas = [one.model._meta for one in PROJECTIONS]
        assert not any([*meta.indexes, *meta.constraints] for meta in metas)


@pytest.mark.django_db(transaction=True)
class TestFlush:
    def test_leaves_a_system_that_begins_anew(self, hear):
        # PostgreSQL goes on counting where tests before this one were rolled back.
        call_command("flush", interactive=False, verbosity=0)
        hear(Story.whole())
        live = columns()
        swapped()
        call_command("flush", interactive=False, verbosity=0)
        assert dict(Checkpoint.objects.values_list("projection", "position")) == dict.fromkeys(
            NAMES, 0
        )
        hear(Story.whole())
        swapped()
        assert columns() == live


@pytest.mark.django_db(transaction=True)
class TestMigration:
    def test_of_a_read_model_finds_the_first_names_of_its_indexes_free(self, hear):
        hear(Story.whole())
        live = columns()
        swapped()
        before = Job._meta.get_field("status")
        assert isinstance(before, models.CharField)
        after = models.CharField(max_length=21, db_index=True)
        after.set_attributes_from_name("status")
        after.model = Job
        for one, other in ((before, after), (after, before)):
            about_to_migrate("jobs")
            with connection.schema_editor() as editor:
                editor.alter_field(Job, one, other)
        assert columns() == live
        done = manage("rollback")
        assert done.code == 1
        assert "run `rebuild --fresh`" in done.error
        swapped()
        assert manage("rollback").code == 0
        assert columns() == live

    def test_of_anything_else_keeps_what_a_rollback_needs(self, hear):
        hear(Story.whole())
        swapped()
        about_to_migrate("eventlog")
        assert manage("rollback").code == 0
