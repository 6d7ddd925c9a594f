"""A build has tables of several projections; those that there were had one, of the jobs."""

from django.apps.registry import Apps as StateApps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = ["jobs", "recordings", "torrents", "totals", "services"]


def name_them(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    builds = apps.get_model("replay", "Build").objects
    builds.update(projections=NAMES[:1])
    if builds.count() == 1:  # nothing was ever built: all that is read is of that record
        builds.filter(state="active").update(projections=NAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("replay", "0002_first_build"),
    ]

    operations = [
        migrations.AddField(
            model_name="build",
            name="projections",
            field=models.JSONField(default=list),
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="build",
            name="state",
            field=models.CharField(
                choices=[
                    ("building", "being folded"),
                    ("ready", "can be swapped in"),
                    ("active", "what everybody reads"),
                    ("kept", "was read before; for a rollback"),
                    ("dropped", "its tables are gone"),
                ],
                db_index=True,
                default="building",
                max_length=10,
            ),
        ),
    ]
