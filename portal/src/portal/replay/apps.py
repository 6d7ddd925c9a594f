"""The app of the replay tooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.db.migrations import Migration
from django.db.models.signals import pre_migrate

# Whose tables builds have copies of.
_READ_MODELS = frozenset({"jobs", "projections"})


class ReplayConfig(AppConfig):
    """Records of what was done, and the builds of the read model."""

    name = "portal.replay"
    label = "replay"
    verbose_name = "Replay"

    def ready(self) -> None:
        """Give the admin a first page with figures, and migrations free names."""
        admin.site.index_template = "admin/replay/index.html"
        pre_migrate.connect(_make_way, sender=self)


def _make_way(plan: Sequence[tuple[Migration, bool]], **_: Any) -> None:
    """Drop what nobody reads before read models are migrated.

    SQLite makes a table anew to change it, its indexes under the names that they had at first;
    after a swap those belong to the table that is kept. No build has the new columns anyway.
    """
    from portal.replay import shadow  # noqa: PLC0415 (models are not loaded before `ready`)

    if any(migration.app_label in _READ_MODELS for migration, _ in plan):
        shadow.drop_all()
