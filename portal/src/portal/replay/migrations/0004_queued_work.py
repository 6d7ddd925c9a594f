"""Records of work that waits for a process of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("replay", "0003_build_projections"),
    ]

    operations = [
        migrations.AddField(
            model_name="replay",
            name="order",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="replay",
            name="takes",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="replay",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("queued", "waits for the process that does such work"),
                    ("running", "under way"),
                    ("done", "everything was done"),
                    ("incomplete", "something is left"),
                    ("failed", "it ended with an error"),
                    ("interrupted", "stopped, or its process was killed; what was done stands"),
                ],
                db_index=True,
                default="running",
                max_length=20,
            ),
        ),
    ]
