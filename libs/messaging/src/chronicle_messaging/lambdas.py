"""The consumer's rules on AWS Lambda, where SQS hands over the messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from chronicle_contracts import Event, Ignore, Quarantine, Retry

from chronicle_messaging.consumer import reading
from chronicle_messaging.message import Message

log = structlog.get_logger(__name__)


def lambda_handler(
    handle: Callable[[Event], None],
    *,
    quarantine: Callable[[Message, str], None] | None = None,
) -> Callable[[Mapping[str, Any], Any], dict[str, list[dict[str, str]]]]:
    """Make a handler of events a Lambda function for an SQS event source.

    The mapping must have `ReportBatchItemFailures`. Reported as failed is what is to come
    again: what raised `Retry` or an unknown exception, and everything of a FIFO group after
    it. `quarantine` (e.g. `Queue.quarantine`) puts a message aside that can never be handled;
    without it such a message counts as failed and ends in the dead-letter queue by itself.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    attempt = reading(handle)

    def on_event(event: Mapping[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
        failed: list[str] = []
        blocked: set[str] = set()
        for message in map(Message.of_lambda, event.get("Records", [])):
            if message.group in blocked or not _succeeds(attempt, message, quarantine):
                failed.append(message.message_id)
                if message.group:
                    blocked.add(message.group)
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    return on_event


def _succeeds(
    attempt: Callable[[Message], None],
    message: Message,
    quarantine: Callable[[Message, str], None] | None,
) -> bool:
    with structlog.contextvars.bound_contextvars(message_id=message.message_id):
        try:
            try:
                attempt(message)
            except Ignore as ignored:
                log.info("message_ignored", reason=str(ignored))
            except Quarantine as reason:
                log.warning("message_quarantined", reason=str(reason))
                if quarantine is None:
                    return False
                quarantine(message, str(reason))
        except Retry as retry:
            log.info("message_retried", reason=str(retry), receives=message.receive_count)
            return False
        except Exception:
            log.exception("message_failed", receives=message.receive_count)
            return False
    return True
