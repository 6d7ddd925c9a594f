"""The app of the event catalogue."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """Pages, API and commands about the kinds of events."""

    name = "portal.catalogue"
    label = "catalogue"
    verbose_name = "Event catalogue"
