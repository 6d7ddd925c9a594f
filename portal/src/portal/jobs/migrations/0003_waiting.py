from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_losses"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="audio_only",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="job",
            name="max_height",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="waiting",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
