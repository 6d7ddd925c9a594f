"""What can be wrong with a command.

::

    CommandRefused         code + sentence; the API makes a problem of it
    ├── BadRequest         what was asked for cannot be done for anybody (HTTP 422)
    ├── JobNotFound        there is no such job (404)
    ├── JobExists          the id is taken by a job with other content (409)
    ├── VaultAway          the credentials cannot be put away now; later they can (503)
    └── WrongStatus        the job is not in a status in which this makes sense (409)
"""

from __future__ import annotations


class CommandRefused(Exception):
    """A command was not carried out; `code` is for programs, `detail` for people."""

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field


class BadRequest(CommandRefused):
    """A value is not acceptable; `field` names it."""


class JobNotFound(CommandRefused):
    """There is no job of this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__("job_not_found", f"There is no job {job_id!r}.")


class JobExists(CommandRefused):
    """The id was used for another request."""

    def __init__(self, job_id: str, differing: str) -> None:
        super().__init__(
            "job_exists",
            f"Job {job_id!r} was requested before with another {differing}; "
            "choose another id, or send the same request again.",
        )


class VaultAway(CommandRefused):
    """The vault does not take the credentials now."""

    def __init__(self) -> None:
        super().__init__(
            "vault_unavailable",
            "The vault for cookies and headers does not answer; try again later.",
            field="credentials",
        )


class WrongStatus(CommandRefused):
    """The command makes no sense in the job's status."""

    def __init__(self, verb: str, job_id: str, status: str, remedy: str) -> None:
        super().__init__("wrong_status", f"Job {job_id!r} is {status}: cannot {verb} it. {remedy}")
