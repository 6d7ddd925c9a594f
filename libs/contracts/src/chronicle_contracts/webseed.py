"""Web seed addresses: stable, without a login, and not to be guessed.

A BEP-19 web seed is fetched by torrent clients, which cannot log in, for as long as the torrent
lives. So the address itself is the permission: it carries a keyed digest of the object's key,
made with a secret that only the seeder and the portal share.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

TOKEN_HEX_DIGITS = 32


def webseed_token(key: str, secret: str) -> str:
    """Return the token that opens one object: 32 hex digits of HMAC-SHA-256."""
    return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest()[:TOKEN_HEX_DIGITS]


def webseed_url(public_url: str, key: str, secret: str) -> str:
    """Return the portal's address of an object for torrent clients; it serves Range itself."""
    return f"{public_url.rstrip('/')}/webseed/{webseed_token(key, secret)}/{quote(key)}"


def is_webseed_token(token: str, key: str, secret: str) -> bool:
    """Return whether the token opens the object; takes the same time for every wrong one."""
    # As bytes: text that is not ASCII cannot be compared, and anybody may send it.
    return hmac.compare_digest(token.encode(), webseed_token(key, secret).encode())
