"""`chronicle retry`: try a job again."""

from __future__ import annotations

import typer

from chronicle_cli.credentials import (
    CookiesOption,
    HeaderFileOption,
    HeaderOption,
    given_credentials,
)
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of

NAME = "retry"


def run(
    context: typer.Context,
    job_id: JobArgument,
    *,
    cookies: CookiesOption = None,
    header: HeaderOption = None,
    header_file: HeaderFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a job again that was rejected, failed or given up, with fresh cookies if need be."""
    credentials = given_credentials(cookies, header or [], header_file)
    order = {"credentials": credentials} if credentials else {}
    screen = Screen(as_json=as_json)
    job = client_of(context).order(job_id, "retry", order)
    screen.document(job.as_json())
    screen.say(f"job {job.id} is {job.status}; follow it: chronicle watch {job.id}")
