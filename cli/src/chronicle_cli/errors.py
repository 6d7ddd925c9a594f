"""What goes wrong, in words for people and with an exit code for scripts.

::

    CliError (code 1)       also raised itself: a download that is not what it should be
    ├── Unreachable    5    no portal is known, it does not answer, or not as a portal does
    ├── Unauthorised   6    401, 403
    ├── NotFound       7    404
    ├── Conflict       8    409, 422, a file that is there already
    └── Refused        3    400: the request cannot be carried out as it is
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from chronicle_cli.exits import ExitCode


class CliError(Exception):
    """An expected trouble; `remedy` is what to do about it, where we know it."""

    code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, title: str, detail: str = "", *, remedy: str = "") -> None:
        super().__init__(": ".join(part for part in (title, detail) if part))
        self.title = title
        self.detail = detail
        self.remedy = remedy

    def as_json(self) -> dict[str, Any]:
        """Return the error for `--json`."""
        members = {"title": self.title, "detail": self.detail, "remedy": self.remedy}
        kept = {name: value for name, value in members.items() if value}
        return {"error": kept | {"exit_code": int(self.code)}}


class Unreachable(CliError):
    """The portal cannot be asked, now or here."""

    code = ExitCode.UNREACHABLE


class Unauthorised(CliError):
    """The portal does not let us."""

    code = ExitCode.UNAUTHORISED


class NotFound(CliError):
    """There is no such thing."""

    code = ExitCode.NOT_FOUND


class Conflict(CliError):
    """It does not fit to what is."""

    code = ExitCode.CONFLICT


class Refused(CliError):
    """The request is not acceptable as it is."""

    code = ExitCode.REJECTED


_KINDS: Mapping[int, type[CliError]] = {
    400: Refused,
    401: Unauthorised,
    403: Unauthorised,
    404: NotFound,
    409: Conflict,
    422: Conflict,
}

_REMEDIES = {
    401: "set CHRONICLE_TOKEN to a token of the portal (admin, API tokens)",
    404: "`chronicle jobs` lists what there is",
    403: "use a token whose user is an operator",
}


def from_problem(status: int, problem: Mapping[str, Any]) -> CliError:
    """Return the error for an answer of the portal (RFC 9457 problem details)."""
    kind = _KINDS.get(status, Unreachable if status == 429 or status >= 500 else CliError)
    title = str(problem.get("title") or f"the portal answered {status}")
    return kind(title, str(problem.get("detail") or ""), remedy=_REMEDIES.get(status, ""))
