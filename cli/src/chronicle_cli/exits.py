"""Exit codes of the command, for scripts."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended. The help names them all, and a test says so."""

    OK = 0  # done; a followed job is COMPLETED
    FAILED = 1  # a followed job is FAILED, a download is not what it should be, doctor found faults
    USAGE = 2  # Typer's: an unknown option, a missing argument, a value that cannot be read
    REJECTED = 3  # the request, or the job, was refused: bad address, nothing recordable there
    CANCELLED = 4  # a followed job was stopped and discarded
    UNREACHABLE = 5  # no portal is known, or it does not answer
    UNAUTHORISED = 6  # no token, a wrong one, or one without the right role
    NOT_FOUND = 7  # no such job, or nothing to download
    CONFLICT = 8  # the job is not in a state for this, or the file is there already
    INTERRUPTED = 130  # Ctrl-C; what is being recorded goes on


_OF_STATUS = {
    "COMPLETED": ExitCode.OK,
    "FAILED": ExitCode.FAILED,
    "REJECTED": ExitCode.REJECTED,
    "CANCELLED": ExitCode.CANCELLED,
}


def of_status(status: str) -> ExitCode:
    """Return the exit code for a followed job's final status."""
    return _OF_STATUS.get(status, ExitCode.OK)


def is_final(status: str) -> bool:
    """Return whether a job in this status changes only if somebody asks for it."""
    return status in _OF_STATUS
