"""Logs: a static event name plus fields, one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(service: str, *, level: str = "INFO", json: bool = True) -> None:
    """Send structlog and the standard library's loggers to standard error in one format.

    `service` is bound to every line. Call it once, at the start of a process.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        structlog.processors.format_exc_info,
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            *shared[:2],
            *shared[3:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their chatter at INFO (a line for each request) would bury ours.
    for chatty in ("botocore", "boto3", "urllib3", "httpx", "s3transfer", "streamlink"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _named(service: str) -> Any:
    def bind(_: Any, __: str, fields: dict[str, Any]) -> dict[str, Any]:
        fields.setdefault("service", service)
        return fields

    return bind
