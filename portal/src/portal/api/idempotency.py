"""`Idempotency-Key`: a request that is sent again makes no second job.

The key is kept in the transaction that makes the job; that the key of a user is unique decides
between two requests that arrive together. It is kept for a day: longer than any client tries
again, and not for ever.
Source: draft-ietf-httpapi-idempotency-key-header (422 for a key with another request).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from portal.api.models import IdempotencyKey
from portal.api.problems import KeyReused

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
LONGEST = 255


def key_of(request: Request) -> str | None:
    """Return the request's key, None without one; raises a `ValidationError` on a bad one."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST or not key.isprintable():
        raise serializers.ValidationError(
            {HEADER: f"give 1 to {LONGEST} printable characters, a UUID for example"}
        )
    return key


def fingerprint(content: Any) -> str:
    """Return a digest of a request's content; the order of its fields does not matter."""
    canonical = json.dumps(content, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def once(user: Any, key: str, content: Any, make: Callable[[], str]) -> tuple[str, bool]:
    """Return the job id of a key and whether `make` was called for it now.

    Raises `KeyReused` where the key came with other content within `KEPT`.
    """
    mark = fingerprint(content)
    try:
        with transaction.atomic():
            IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
            kept = IdempotencyKey.objects.filter(user=user, key=key).first()
            if kept is None:
                job_id = make()
                IdempotencyKey.objects.create(user=user, key=key, fingerprint=mark, job_id=job_id)
                return job_id, True
    except IntegrityError:
        # Another request with the key was faster; what ours made was rolled back.
        kept = IdempotencyKey.objects.get(user=user, key=key)
    if kept.fingerprint != mark:
        raise KeyReused(
            f"{HEADER} {key!r} came with another request before; "
            "send the same request, or choose another key"
        )
    return kept.job_id, False
