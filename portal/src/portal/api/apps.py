"""The API app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Endpoints, problem details, idempotency keys."""

    name = "portal.api"
    label = "api"
    verbose_name = "API"
