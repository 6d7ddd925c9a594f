"""Following a job to its end: ask once a second, show what is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import typer

from chronicle_cli.answers import Job
from chronicle_cli.client import ApiClient
from chronicle_cli.errors import Unreachable
from chronicle_cli.exits import ExitCode, is_final, of_status
from chronicle_cli.progress import view_for
from chronicle_cli.screen import Screen

POLL = 1.0  # seconds between two questions
PATIENCE = 120.0  # seconds for which a portal that does not answer is asked again

T = TypeVar("T")


class Patience:
    """Asks again while the portal is away: a restart of it must not end a long follow."""

    def __init__(self, screen: Screen, *, longest: float = PATIENCE, poll: float = POLL) -> None:
        self._screen = screen
        self._longest = longest
        self._poll = poll
        self._has_answered = False

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer.

        Raises `Unreachable` where the first question gets none, or a later one for too long.
        """
        since: float | None = None
        while True:
            try:
                answer = question()
            except Unreachable as error:
                if not self._has_answered:
                    raise
                now = time.monotonic()
                if since is None:
                    since = now
                    self._screen.warn(f"{error}; asking again for {self._longest:g} s")
                if now - since >= self._longest:
                    raise
                time.sleep(self._poll)
            else:
                if since is not None:
                    self._screen.warn("the portal answers again")
                self._has_answered = True
                return answer


def follow(client: ApiClient, screen: Screen, job_id: str, *, poll: float = POLL) -> Job:
    """Show a job until it is over and return it; raises `typer.Exit(130)` on Ctrl-C."""
    patience = Patience(screen, poll=poll)
    try:
        with view_for(screen) as view:
            while True:
                job = patience.ask(lambda: client.job(job_id))
                view.show(job)
                if is_final(job.status):
                    break
                time.sleep(poll)
    except KeyboardInterrupt as error:
        screen.warn(
            f"no longer following; job {job_id} goes on: "
            f"chronicle watch {job_id}, chronicle stop {job_id}"
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    return job


def end(job: Job) -> None:
    """End the command with the exit code of a job that is over."""
    code = of_status(job.status)
    if code:
        raise typer.Exit(code)
