"""Secrets of jobs, by name: events and settings hold the name, never the secret."""

from chronicle_vault.errors import (
    BadSecretName,
    SecretMissing,
    SecretTooLarge,
    VaultError,
    VaultRefused,
    VaultUnreachable,
)
from chronicle_vault.opening import open_vault
from chronicle_vault.ports import KeptSecret, Vault
from chronicle_vault.settings import VaultSettings

__all__ = [
    "BadSecretName",
    "KeptSecret",
    "SecretMissing",
    "SecretTooLarge",
    "Vault",
    "VaultError",
    "VaultRefused",
    "VaultSettings",
    "VaultUnreachable",
    "open_vault",
]
