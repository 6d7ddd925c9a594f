"""`chronicle jobs`: list jobs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from chronicle_cli import wording
from chronicle_cli.answers import Job
from chronicle_cli.screen import Screen
from chronicle_cli.session import JsonOption, client_of
from chronicle_cli.summary import style_of

NAME = "jobs"

PADDING = 2  # columns between two cells
NARROWEST = 12  # columns of the last cell


def run(
    context: typer.Context,
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only this status, e.g. recording; may be given more than once."),
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Only jobs with this in id, address, title, site or name.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    screen, client = Screen(as_json=as_json), client_of(context)
    found = list(client.jobs(status=status or [], search=search, limit=limit))
    screen.document([job.as_json() for job in found])
    if not found:
        screen.say("no jobs")
        return
    screen.show(_table(found, width=screen.console.width))


def _table(jobs: list[Job], *, width: int) -> Table:
    table = Table("job", "status", "asked for", "recorded", "what", box=None, pad_edge=False)
    table.padding = (0, PADDING, 0, 0)
    for column in table.columns:
        column.no_wrap = True
    for job in jobs:
        table.add_row(
            wording.printable(job.id),
            Text(job.status, style=style_of(job.status)),
            wording.day_and_time(job.requested_at)[len("2026-") : -len(":00")],
            wording.how_far(job),
            Text(wording.printable(job.title or job.url)),
        )
    # Where a terminal is too narrow, the last column gives way and not the job's id.
    taken = PADDING * len(table.columns)
    for column in table.columns[:-1]:
        column.min_width = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        taken += column.min_width
    table.columns[-1].max_width = max(width - taken, NARROWEST)
    return table
