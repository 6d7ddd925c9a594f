"""The address guard: nothing here may be made to fetch what only this machine can reach.

The addresses that a host resolves to are judged, never its text, so decimal, octal and mapped
spellings of an address need no rules of their own. Checking a URL once is not enough where a
name may resolve differently a moment later: whoever connects uses `resolve_host` and connects
to an address that it returned.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from chronicle_sources.errors import SourceError, shown

# How a lookup that was refused is told from one that failed, in words that outlive libraries.
REFUSED = "address is not public"

Lookup = Callable[..., Sequence[tuple[Any, ...]]]

# RFC 6052: IPv4 addresses behind a NAT64 gateway; the last 32 bits are the address.
_NAT64 = IPv6Network("64:ff9b::/96")


def check(url: str, *, allow_private: bool, lookup: Lookup = socket.getaddrinfo) -> None:
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
    resolve_host(host, port or default, allow_private=allow_private, lookup=lookup)


def resolve_host(
    host: str, port: int, *, allow_private: bool, lookup: Lookup = socket.getaddrinfo
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
    if not allow_private and not all(is_public(address) for address in addresses):
        raise SourceError(
            "forbidden_address",
            f"The host {host} leads to an address that is not public; "
            "set CHRONICLE_ALLOW_PRIVATE_ADDRESSES=true if this is a machine for development.",
        )
    return addresses


def is_public(address: str) -> bool:
    """Return whether an address is one of the open internet, however it is wrapped."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _carried(ip)) is not None:
        return _is_public(inner) and (ip.is_global or ip.ipv4_mapped is not None)
    return _is_public(ip)


def _carried(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.teredo is not None:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast
