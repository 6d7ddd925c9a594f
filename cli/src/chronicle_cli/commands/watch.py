"""`chronicle watch`: follow a job to its end."""

from __future__ import annotations

import typer

from chronicle_cli.following import end, follow
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "watch"


def run(
    context: typer.Context,
    job_id: JobArgument,
    as_json: JsonOption = False,
) -> None:
    """Show a job's progress to its end; with --json an object a line whenever it changed."""
    end(follow(client_of(context), Screen(as_json=as_json), job_id))
