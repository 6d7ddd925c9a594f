"""`chronicle record`: ask for a recording."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from chronicle_cli import reading
from chronicle_cli.credentials import (
    CookiesOption,
    HeaderFileOption,
    HeaderOption,
    given_credentials,
)
from chronicle_cli.exits import is_final
from chronicle_cli.following import end, follow
from chronicle_cli.screen import Screen
from chronicle_cli.session import JsonOption, client_of

NAME = "record"


def run(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Live page, playlist or file.")],
    *,
    following: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay and show its progress to the end.")
    ] = False,
    max_duration: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Stop and keep after 90s, 20m, 1h30m or 1200."),
    ] = None,
    filename: Annotated[str | None, typer.Option(help="Name of the recording.")] = None,
    quality: Annotated[
        str | None, typer.Option(help="best, worst, audio, 720p, or a yt-dlp format selection.")
    ] = None,
    job_id: Annotated[
        str | None, typer.Option("--id", help="Id of the job; asked twice it is still one job.")
    ] = None,
    start_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When to begin: 2026-01-31T20:00 (local), ...Z, +2h."),
    ] = None,
    live_from_start: Annotated[
        bool, typer.Option("--live-from-start", help="From the stream's start, where possible.")
    ] = False,
    audio_only: Annotated[
        bool, typer.Option("--audio-only", help="The sound without the picture.")
    ] = False,
    max_height: Annotated[
        int | None, typer.Option(metavar="LINES", help="Highest picture, e.g. 720.")
    ] = None,
    cookies: CookiesOption = None,
    header: HeaderOption = None,
    header_file: HeaderFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a recording of URL; it is made whether or not this command stays."""
    credentials = given_credentials(cookies, header or [], header_file)
    wanted = {
        "url": url,
        "id": job_id,
        "filename": filename,
        "quality": quality,
        "max_duration": reading.seconds(max_duration) if max_duration else None,
        "start_at": reading.moment(start_at).isoformat() if start_at else None,
        "live_from_start": live_from_start or None,
        "audio_only": audio_only or None,
        "max_height": max_height,
        "credentials": credentials or None,
    }
    screen, client = Screen(as_json=as_json), client_of(context)
    request = {name: value for name, value in wanted.items() if value is not None}
    job = client.submit(request, key=str(uuid4()))
    if following:
        screen.say(f"job {job.id}: {job.url}")
        end(follow(client, screen, job.id))
        return
    screen.document(job.as_json())
    hint = "look at it: chronicle show" if is_final(job.status) else "follow it: chronicle watch"
    screen.say(f"job {job.id} is {job.status}; {hint} {job.id}")
