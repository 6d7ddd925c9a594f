"""`chronicle extend`: let a job become longer, or shorter."""

from __future__ import annotations

from typing import Annotated

import typer

from chronicle_cli import reading, wording
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "extend"


def run(
    context: typer.Context,
    job_id: JobArgument,
    max_duration: Annotated[
        str,
        typer.Argument(metavar="DURATION", help="In total: 90s, 20m, 1h30m, 1200; none: no limit."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Set a job's longest duration anew: the total, not what is added."""
    limit = reading.limit(max_duration)
    screen = Screen(as_json=as_json)
    job = client_of(context).order(job_id, "extend", {"max_duration": limit})
    screen.document(job.as_json())
    words = "without limit" if limit is None else f"for at most {wording.duration(limit)}"
    screen.say(f"job {job.id} is {job.status}; it records {words}")
