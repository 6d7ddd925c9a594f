"""The app of the projections."""

from django.apps import AppConfig


class ProjectionsConfig(AppConfig):
    """Recordings, torrents, daily totals and the health of services as read models."""

    name = "portal.projections"
    label = "projections"
    verbose_name = "Projections"
