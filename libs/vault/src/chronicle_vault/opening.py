"""Choosing the vault by the settings."""

from __future__ import annotations

from chronicle_vault.folder import FolderVault
from chronicle_vault.ports import Vault
from chronicle_vault.settings import VaultSettings


def open_vault(settings: VaultSettings) -> Vault:
    """Return the vault that the settings name; nothing is connected or created yet."""
    if settings.vault == "folder":
        return FolderVault(settings.home / "vault")
    # boto3 takes 30 MB: who keeps secrets in a folder does not pay for it.
    from chronicle_vault.secrets_manager import SecretsManagerVault  # noqa: PLC0415

    return SecretsManagerVault(
        prefix=settings.prefix, region=settings.region, endpoint=settings.aws_endpoint_url
    )
