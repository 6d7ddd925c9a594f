"""What can be wrong with a verb.

::

    ReplayError            a sentence with the remedy; `exit_code` for the shell
    ├── BadParameters      what was asked for makes no sense (exit code 2, HTTP 400)
    ├── NotThere           no such job, message, stream or queue (1, 404)
    ├── NotNow             it does not fit to what is there (1, 409)
    └── Unavailable        the queues or the recording store do not answer (1, 503)
"""

from __future__ import annotations

from typing import ClassVar


class ReplayError(Exception):
    """A verb could not be carried out."""

    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class BadParameters(ReplayError):
    """A parameter is missing or wrong; `field` names it."""

    exit_code = 2


class NotThere(ReplayError):
    """What it is about does not exist."""


class NotNow(ReplayError):
    """It cannot be done as things stand."""


class Unavailable(ReplayError):
    """Something outside of the portal does not answer; it may later."""
