"""The app of the replay tooling."""

from django.apps import AppConfig
from django.contrib import admin


class ReplayConfig(AppConfig):
    """Records of what was done, and the builds of the read model."""

    name = "portal.replay"
    label = "replay"
    verbose_name = "Replay"

    def ready(self) -> None:
        """Give the admin a first page with figures."""
        admin.site.index_template = "admin/replay/index.html"
