"""The table that everybody reads gets its record, so that the admin has a row to act on."""

from django.apps.registry import Apps as StateApps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone


def note_first(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    now = timezone.now()
    apps.get_model("replay", "Build").objects.get_or_create(
        state="active", defaults={"started_at": now, "swapped_at": now}
    )


class Migration(migrations.Migration):
    dependencies = [("replay", "0001_initial")]

    operations = [migrations.RunPython(note_first, migrations.RunPython.noop)]
