"""Tokens as text: how they are made, checked for strength and digested.

A token has 256 bits of chance, so a plain SHA-256 keeps it: there is nothing to guess that a
slow password hash would have to protect, and every request pays for the digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "chr_"  # lets a secret scanner tell ours from other people's
HINT_LENGTH = 8
LEAST_LENGTH = 32

_SHAPE = re.compile(r"[A-Za-z0-9_.~+/=-]+")  # RFC 6750, the characters of a bearer token


def mint() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(plain: str) -> str:
    """Return what is stored of a token: its SHA-256, 64 hex digits."""
    return hashlib.sha256(plain.encode()).hexdigest()


def weakness(plain: str) -> str | None:
    """Return why a token that was made elsewhere is not good enough, or None."""
    if not plain:
        return "it is empty"
    if len(plain) < LEAST_LENGTH:
        return f"it has {len(plain)} characters, at least {LEAST_LENGTH} are needed"
    if not _SHAPE.fullmatch(plain):
        return "it has characters that a bearer token must not have (RFC 6750)"
    return None
