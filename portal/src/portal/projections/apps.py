"""The app of the projections."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class ProjectionsConfig(AppConfig):
    """Recordings, torrents, daily totals and the health of services as read models."""

    name = "portal.projections"
    label = "projections"
    verbose_name = "Projections"

    def ready(self) -> None:
        """Give an empty log its checkpoints, also after `manage.py flush`."""
        post_migrate.connect(_begin, sender=self)


def _begin(**_: Any) -> None:
    """Of nothing, every projection has everything."""
    from portal.eventlog.models import LoggedEvent  # noqa: PLC0415 (models load first)
    from portal.projections.models import Checkpoint  # noqa: PLC0415
    from portal.projections.registry import NAMES  # noqa: PLC0415

    needed = {LoggedEvent._meta.db_table, Checkpoint._meta.db_table}
    if needed <= set(connection.introspection.table_names()) and not LoggedEvent.objects.exists():
        Checkpoint.objects.bulk_create(
            (Checkpoint(projection=name) for name in NAMES), ignore_conflicts=True
        )
