"""The address guard: nothing here may be made to fetch what only this machine can reach.

The addresses that a host resolves to are judged, never its text, so decimal, octal and mapped
spellings of an address need no rules of their own. Checking a URL once is not enough where a
name may resolve differently a moment later: whoever connects uses `resolve_host` and connects
to an address that it returned.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from chronicle_sources.errors import SourceError, shown

# How a lookup that was refused is told from one that failed, in words that outlive libraries.
REFUSED = "address is not public"

Lookup = Callable[..., Sequence[tuple[Any, ...]]]
Judge = Callable[[str], bool]

# RFC 6052: IPv4 addresses behind a NAT64 gateway; the last 32 bits are the address.
_NAT64 = IPv6Network("64:ff9b::/96")

# What `ipaddress` takes for global although nobody of the open internet is there.
_SPECIAL = (
    IPv6Network("::/96"),  # RFC 4291, IPv4-compatible (deprecated)
    IPv6Network("::ffff:0:0:0/96"),  # RFC 2765, IPv4-translated
    IPv6Network("64:ff9b:1::/48"),  # RFC 8215, NAT64 of a network's own
    IPv6Network("3fff::/20"),  # RFC 9637, documentation
    IPv6Network("5f00::/16"),  # RFC 9602, segment routing
    IPv6Network("fec0::/10"),  # RFC 3879, site-local (deprecated)
    IPv4Network("192.0.0.0/24"),  # RFC 6890, protocol assignments
    IPv4Network("192.88.99.0/24"),  # RFC 7526, relays of 6to4 (deprecated)
)


def is_public(address: str) -> bool:
    """Return whether an address is one of the open internet, however it is wrapped."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _carried(ip)) is not None:
        return _is_public(inner) and (ip.is_global or ip.ipv4_mapped is not None)
    return _is_public(ip)


def check(
    url: str,
    *,
    allow_private: bool,
    lookup: Lookup = socket.getaddrinfo,
    judge: Judge = is_public,
) -> None:
    """Return if the URL may be fetched.

    Raises `SourceError`: bad_url, forbidden_scheme, forbidden_address, unreachable.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError("bad_url", f"This is not a URL: {error}.") from None
    if parts.scheme not in {"http", "https"}:
        raise SourceError(
            "forbidden_scheme",
            f"Only http and https URLs can be recorded, not {parts.scheme or 'one without'}: "
            "give the address of the page or of the playlist.",
        )
    if "@" in parts.netloc:
        raise SourceError("bad_url", "The URL holds a user name or password; give it without them.")
    if not host:
        raise SourceError("bad_url", f"The URL {shown(url)} names no host.")
    default = 443 if parts.scheme == "https" else 80
    resolve_host(host, port or default, allow_private=allow_private, lookup=lookup, judge=judge)


def resolve_host(
    host: str,
    port: int,
    *,
    allow_private: bool,
    lookup: Lookup = socket.getaddrinfo,
    judge: Judge = is_public,
) -> list[str]:
    """Return the addresses of a host, all of which may be connected to.

    Raises `SourceError`: unreachable (no such host), forbidden_address.
    """
    try:
        found = lookup(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceError(
            "unreachable", f"The host {host} cannot be found; check the spelling of the URL."
        ) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise SourceError("unreachable", f"The host {host} has no address.")
    if not allow_private and not all(map(judge, addresses)):
        raise SourceError(
            "forbidden_address",
            f"The host {host} leads to an address that is not public; "
            "set CHRONICLE_ALLOW_PRIVATE_ADDRESSES=true if this is a machine for development.",
        )
    return addresses


def _carried(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.teredo is not None:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if ip.is_multicast or any(ip in network for network in _SPECIAL):
        return False
    return ip.is_global
