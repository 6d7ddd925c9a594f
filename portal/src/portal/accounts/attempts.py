"""Failed logins: after too many from one address, it has to wait.

Counted in Django's cache, per client address, for tokens and passwords together.
"""

from __future__ import annotations

import math
import time

from django.core.cache import cache
from django.http import HttpRequest

MOST = 20  # failures
WINDOW = 60  # seconds


def client_address(request: HttpRequest) -> str:
    """Return the peer's address; headers are the server's to judge (uvicorn's proxy headers)."""
    return str(request.META.get("REMOTE_ADDR", "unknown"))


def _key(request: HttpRequest) -> str:
    return f"failed-logins:{client_address(request)}"


def seconds_to_wait(request: HttpRequest) -> int:
    """Return how long this client has to wait before it may try again; 0 = not at all."""
    failures = _recent(request)
    if len(failures) < MOST:
        return 0
    return max(1, math.ceil(failures[-MOST] + WINDOW - time.time()))


def record_failure(request: HttpRequest) -> None:
    """Count one failure."""
    cache.set(_key(request), [*_recent(request)[-MOST:], time.time()], timeout=WINDOW)


def _recent(request: HttpRequest) -> list[float]:
    oldest = time.time() - WINDOW
    return [moment for moment in cache.get(_key(request), []) if moment > oldest]
