"""The app of the replay tooling."""

from django.apps import AppConfig


class ReplayConfig(AppConfig):
    """Records of what was done, and the builds of the read model."""

    name = "portal.replay"
    label = "replay"
    verbose_name = "Replay"
