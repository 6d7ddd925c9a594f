"""Parked is a projection of a job; what was parked until now was so for all of them."""

from typing import Any

from django.apps.registry import Apps as StateApps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OLD = "OldParkedJob"


def carry_over(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    parked: Any = apps.get_model("eventlog", "ParkedJob")
    before: Any = apps.get_model("eventlog", OLD)
    for old in before.objects.all():
        parked.objects.create(
            job_id=old.job_id, projection="", error=old.error, parked_at=old.parked_at
        )


class Migration(migrations.Migration):
    dependencies = [("eventlog", "0002_skipped_and_ended")]

    operations = [
        migrations.RenameModel("ParkedJob", OLD),
        migrations.CreateModel(
            name="ParkedJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job_id", models.CharField(db_index=True, max_length=64)),
                ("projection", models.CharField(blank=True, max_length=40)),
                ("position", models.BigIntegerField(blank=True, null=True)),
                ("error", models.TextField()),
                ("traceback", models.TextField(blank=True)),
                ("parked_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "parked job",
                "ordering": ["parked_at", "job_id", "projection"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("job_id", "projection"), name="parked_job_of_projection"
                    )
                ],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.DeleteModel(OLD),
    ]
