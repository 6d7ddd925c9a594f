"""The vault with the cookies and headers of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from chronicle_vault import Vault, VaultError

log = structlog.get_logger(__name__)


class VaultSecrets:
    """The port `Secrets`; whatever cannot be deleted now is swept up later."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def delete(self, name: str) -> None:
        """Delete a secret."""
        try:
            was_there = self._vault.delete(name)
        except VaultError as error:
            log.warning("secret_not_deleted", secret=name, reason=str(error))
        else:
            if was_there:
                log.info("secret_deleted", secret=name)

    def kept(self) -> Sequence[tuple[str, datetime]]:
        """List the vault; nothing while it is away."""
        try:
            return [(one.name, one.kept_at) for one in self._vault.kept()]
        except VaultError as error:
            log.warning("vault_not_listed", reason=str(error))
            return []
