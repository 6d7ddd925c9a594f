"""`chronicle stop`: stop a job."""

from __future__ import annotations

from typing import Annotated

import typer

from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "stop"


def run(
    context: typer.Context,
    job_id: JobArgument,
    discard: Annotated[
        bool, typer.Option("--discard", help="Throw away what was recorded.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a job and keep what was recorded."""
    mode = "discard" if discard else "keep"
    screen = Screen(as_json=as_json)
    job = client_of(context).order(job_id, "stop", {"mode": mode})
    screen.document(job.as_json())
    fate = "will be thrown away" if discard else "is kept"
    screen.say(f"job {job.id} is {job.status}; what was recorded {fate}")
