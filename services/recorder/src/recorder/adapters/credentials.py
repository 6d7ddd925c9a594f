"""The cookies and headers of the job: fetched by name from the vault, never said."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from chronicle_sources import Credentials
from chronicle_vault import SecretMissing, Vault

from recorder.domain.problem import SourceProblem
from recorder.domain.stream import Stream

# Of a value as short as that ("1", "on") nothing is given away, and every line would be cut.
SHORTEST_SECRET = 6


def fetch_credentials(vault: Vault, name: str | None) -> Credentials:
    """Return what the job may show at its site; nothing where it was given nothing.

    Raises `SourceProblem` where it is gone, `VaultError` where the vault is away.
    """
    if name is None:
        return Credentials()
    try:
        return Credentials.model_validate_json(vault.get(name))
    except SecretMissing:
        raise SourceProblem(
            "needs_login", "The cookies and headers of this job are not in the vault any more."
        ) from None


class LockedSite:
    """Implements `ports.Site` where the job has lost what opens it; it never opens."""

    def __init__(self, problem: SourceProblem) -> None:
        self._problem = problem

    def look(self) -> Stream:
        """Say so: what was recorded before is delivered, and nothing more is tried."""
        raise self._problem


class Discreet(logging.Formatter):
    """A formatter that cuts secrets out of what another one writes."""

    def __init__(self, formatter: logging.Formatter, secrets: Sequence[str]) -> None:
        super().__init__()
        self._formatter = formatter
        self._secrets = sorted(_spellings(secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        line = self._formatter.format(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def _spellings(secrets: Sequence[str]) -> set[str]:
    """Return the secrets, each also as it stands in JSON."""
    worth_it = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
    return worth_it | {json.dumps(secret)[1:-1] for secret in worth_it}


def keep_quiet_about(secrets: Sequence[str]) -> None:
    """Keep secrets out of every line that this process logs from now on."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Discreet(handler.formatter or logging.Formatter(), secrets))
