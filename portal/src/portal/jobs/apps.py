"""The app of the jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Commands, projection and read model of jobs."""

    name = "portal.jobs"
    label = "jobs"
    verbose_name = "Jobs"
