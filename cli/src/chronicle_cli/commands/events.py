"""`chronicle events`: the history of a job."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer

from chronicle_cli import wording
from chronicle_cli.client import ApiClient
from chronicle_cli.exits import ExitCode, is_final
from chronicle_cli.following import POLL, Patience
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "events"


def run(
    context: typer.Context,
    job_id: JobArgument,
    following: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay and print new ones until the job is over.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print every event of a job in the order in which it was heard; JSON: an event a line."""
    screen, client = Screen(as_json=as_json), client_of(context)
    patience = Patience(screen)
    position = _print_known(client, screen, patience, job_id, after=0)
    try:
        while following:
            # Asked before the events are: nothing that led to the end is left out.
            is_over = is_final(patience.ask(lambda: client.job(job_id)).status)
            position = _print_known(client, screen, patience, job_id, after=position)
            if is_over:
                return
            time.sleep(POLL)
    except KeyboardInterrupt as error:
        screen.warn(f"no longer following; job {job_id} goes on")
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def _print_known(
    client: ApiClient, screen: Screen, patience: Patience, job_id: str, *, after: int
) -> int:
    while True:
        page = patience.ask(partial(client.events, job_id, after=after))
        for logged in page.results:
            screen.entry(logged.model_dump(mode="json"))
            screen.say(wording.event(logged))
            after = logged.position
        if not page.next or not page.results:
            return after
