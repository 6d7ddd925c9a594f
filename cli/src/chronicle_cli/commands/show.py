"""`chronicle show`: a job with its timeline."""

from __future__ import annotations

import typer

from chronicle_cli import wording
from chronicle_cli.screen import Screen
from chronicle_cli.session import JobArgument, JsonOption, client_of
from chronicle_cli.summary import print_facts, style_of

NAME = "show"


def run(
    context: typer.Context,
    job_id: JobArgument,
    as_json: JsonOption = False,
) -> None:
    """Show a job: where it stands, what came of it, what happened when."""
    screen = Screen(as_json=as_json)
    job = client_of(context).job(job_id)
    screen.document(job.as_json())
    losses = " with losses" if job.losses else ""
    screen.say(f"job {job.id} is {job.status}{losses}", style=style_of(job.status))
    screen.say(f"  {'url':<10}{job.url}")
    for name, value in (("title", job.title), ("site", job.site), ("name", job.filename)):
        if value:
            screen.say(f"  {name:<10}{value}")
    if job.start_at:
        screen.say(f"  {'start at':<10}{wording.day_and_time(job.start_at)}")
    if job.max_duration:
        screen.say(f"  {'limit':<10}{wording.duration(job.max_duration)}")
    if job.progress and not job.recording:
        screen.say(f"  {'progress':<10}{wording.progress(job.progress, limit=job.max_duration)}")
    print_facts(screen, job)
    if job.timeline:
        screen.say("timeline")
    for one in job.timeline:
        detail = f": {one.detail}" if one.detail else ""
        screen.say(f"  {wording.day_and_time(one.at)}  {one.what}{detail}")
    if job.error and job.error.log_tail:
        screen.say("end of the recorder's log")
        for line in job.error.log_tail.splitlines():
            screen.say(f"  {line}")
