"""The dispatcher of a Lambda function: built at its first call, kept for the next ones."""

from __future__ import annotations

import os
from functools import cache

import structlog
from chronicle_runtime import configure_logging, load

from dispatcher.adapters.inline import InlineExecutor
from dispatcher.adapters.line import PushedLine
from dispatcher.assembly import Assembly, assemble
from dispatcher.settings import DispatcherSettings

log = structlog.get_logger(__name__)

# A function is frozen when it returns, so what it decided is said before (seconds).
SAY_WITHIN = 10.0


@cache
def assembled() -> Assembly:
    """Return this function's dispatcher."""
    settings = load(DispatcherSettings, argv=())
    configure_logging("dispatcher", level=settings.log_level)
    return assemble(settings, os.environ, link=PushedLine(), background=InlineExecutor())


def say(assembly: Assembly) -> None:
    """Publish what was decided; what is left is said by the next call."""
    if not assembly.relay().drain(SAY_WITHIN):
        log.warning("outbox_not_empty")
