from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("eventlog", "0003_parked_projections"),
    ]

    operations = [
        migrations.AddField(
            model_name="skippedevent",
            name="projections",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
