"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Tokens and roles."""

    name = "portal.accounts"
    label = "accounts"
    verbose_name = "Accounts"
