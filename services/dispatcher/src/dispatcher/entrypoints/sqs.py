"""Lambda function for the dispatcher's queue, with partial batch failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chronicle_messaging import lambda_handler, repeating

from dispatcher.entrypoints.assembled import assembled, say

QUEUE = "dispatcher"


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of SQS messages; return those that are to come again."""
    assembly = assembled()
    answer = repeating(assembly.dispatcher.handle, assembly.store.recorder, assembly.bus)
    handle = lambda_handler(answer, quarantine=assembly.bus.queue(QUEUE).quarantine)
    try:
        return handle(event, context)
    finally:
        say(assembly)
