"""Quarantine: messages that cannot enter the log are kept whole, never dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db.models import F

from portal.eventlog.models import QuarantinedMessage

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Refused:
    """A message and why the log did not take it."""

    reason: QuarantinedMessage.Reason
    detail: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def put_aside(refused: Iterable[Refused], now: datetime) -> None:
    """Keep the messages; one that is here already is only counted again."""
    rows = {}
    for one in refused:
        body = one.body.replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL keeps no NUL
        fingerprint = hashlib.sha256(one.body.encode(errors="surrogatepass")).hexdigest()
        rows[fingerprint] = QuarantinedMessage(
            reason=one.reason,
            detail=one.detail.replace("\x00", "\N{REPLACEMENT CHARACTER}"),
            body=body.encode(errors="replace").decode(),
            attributes=dict(one.attributes),
            fingerprint=fingerprint,
            received_at=now,
        )
        log.warning("message_quarantined", reason=str(one.reason), detail=one.detail)
    if not rows:
        return
    known = QuarantinedMessage.objects.filter(fingerprint__in=rows)
    again = set(known.values_list("fingerprint", flat=True))
    # What was released and is refused again is open again; what was dropped stays dropped.
    known.update(times=F("times") + 1, received_at=now, released_at=None)
    QuarantinedMessage.objects.bulk_create(
        row for fingerprint, row in rows.items() if fingerprint not in again
    )
