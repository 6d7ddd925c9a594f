"""What a vault does, whichever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chronicle_vault.errors import BadSecretName, SecretTooLarge

# A file name anywhere, and a part of a name in Secrets Manager.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

# Secrets Manager takes 65,536 bytes; a browser's cookies of one site are a tenth of that.
LARGEST = 65_536


@dataclass(frozen=True)
class KeptSecret:
    """That there is a secret, and since when; not the secret."""

    name: str
    kept_at: datetime


class Vault(Protocol):
    """Keeps secrets by name. All methods raise `VaultError`s; none ever says a secret."""

    def put(self, name: str, secret: bytes) -> None:
        """Keep a secret, in place of one that had its name; whole, or not at all."""

    def get(self, name: str) -> bytes:
        """Return a secret; raises `SecretMissing`."""

    def delete(self, name: str) -> bool:
        """Delete a secret for good; return whether there was one."""

    def kept(self) -> Iterator[KeptSecret]:
        """Yield what is kept, in no order."""


def check(name: str, secret: bytes = b"") -> None:
    """Return if a secret may be kept under a name; raises `BadSecretName`, `SecretTooLarge`."""
    if NAME.fullmatch(name) is None:
        raise BadSecretName(
            f"{name[:128]!r} cannot name a secret: a letter or digit, then 127 of A-Za-z0-9._-"
        )
    if len(secret) > LARGEST:
        raise SecretTooLarge(f"{name}: {len(secret)} bytes are more than the {LARGEST} of a vault")
