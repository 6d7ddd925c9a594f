"""Lambda function for the schedule: one look after everything that runs or waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatcher.entrypoints.assembled import assembled, say


def handler(_event: Mapping[str, Any], _context: Any) -> None:
    """Tick once; an error fails the invocation, and the schedule's next one tries again."""
    assembly = assembled()
    try:
        assembly.dispatcher.tick()
    finally:
        say(assembly)
