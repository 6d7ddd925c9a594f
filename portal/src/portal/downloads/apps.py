"""The downloads app; it has no tables."""

from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    """Serves the recording store."""

    name = "portal.downloads"
    label = "downloads"
    verbose_name = "Downloads"
