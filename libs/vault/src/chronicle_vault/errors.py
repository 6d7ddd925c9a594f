"""What can go wrong with a vault; no message ever holds a part of a secret.

::

    VaultError
    ├── BadSecretName     the name may not name a secret
    ├── SecretTooLarge    no vault keeps that much
    ├── SecretMissing     there is no secret of this name (any more)
    ├── VaultRefused      the vault answered and said no (rights): a person must act
    └── VaultUnreachable  the vault did not answer, or its disk did not: passes, try again
"""

from __future__ import annotations


class VaultError(Exception):
    """The vault could not do what was asked of it."""


class BadSecretName(VaultError):
    """The name breaks the rule that the message gives."""


class SecretTooLarge(VaultError):
    """The secret has more bytes than a vault keeps."""


class SecretMissing(VaultError):
    """No secret has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: no such secret in the vault; it may have been deleted")
        self.name = name


class VaultRefused(VaultError):
    """The vault refused; asking again will not help."""


class VaultUnreachable(VaultError):
    """The vault cannot be reached, or cannot write, right now."""
