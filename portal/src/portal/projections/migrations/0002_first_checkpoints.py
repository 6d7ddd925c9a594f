"""Where the log is empty, every table has everything; else only that of jobs has."""

from django.apps.registry import Apps as StateApps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = ("jobs", "recordings", "torrents", "totals", "services")


def note(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    newest = apps.get_model("eventlog", "LoggedEvent").objects.order_by("-position").first()
    for name in NAMES if newest is None else NAMES[:1]:
        apps.get_model("projections", "Checkpoint").objects.create(
            projection=name, position=newest.position if newest else 0
        )


class Migration(migrations.Migration):
    dependencies = [
        ("projections", "0001_initial"),
        ("eventlog", "0003_parked_projections"),
    ]

    operations = [migrations.RunPython(note, migrations.RunPython.noop)]
