"""`chronicle doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import typer

from chronicle_cli import machine
from chronicle_cli.client import ApiClient
from chronicle_cli.configuration import Connection, find_connection
from chronicle_cli.errors import CliError, Unauthorised
from chronicle_cli.exits import ExitCode
from chronicle_cli.machine import Check
from chronicle_cli.screen import Screen
from chronicle_cli.session import JsonOption

NAME = "doctor"


def run(
    as_json: JsonOption = False,
) -> None:
    """Check this machine: each thing is there, or how to get it; exit code 1 if one is needed."""
    screen = Screen(as_json=as_json)
    checks = list(_checks())
    screen.document([check.as_json() for check in checks])
    for check in checks:
        _print(screen, check)
    needed = [check.name for check in checks if check.state != "ok" and not check.optional]
    if needed:
        screen.say(f"needed and missing: {', '.join(needed)}", style="bold red")
        raise typer.Exit(ExitCode.FAILED)
    screen.say("this machine has what is needed", style="green")


def _checks() -> Iterator[Check]:
    here = Path.cwd()
    portal = list(_portal(here))
    stack_is_up = portal[0].state == "ok" and portal[0].name == "portal"
    yield machine.check_python()
    yield machine.check_ffmpeg()
    yield machine.check_disk(os.environ, here)
    yield from machine.check_ports(os.environ, stack_is_up=stack_is_up)
    yield from portal
    for program in machine.PROGRAMS:
        yield machine.check_program(program)


def _portal(here: Path) -> Iterator[Check]:
    try:
        connection = find_connection(os.environ, here)
    except CliError as error:
        yield Check("portal", "missing", str(error), error.remedy)
        return
    client = ApiClient(connection)
    try:
        yield from _answers(client, connection)
    finally:
        client.close()


def _answers(client: ApiClient, connection: Connection) -> Iterator[Check]:
    try:
        ready = client.is_ready()
    except CliError as error:
        yield Check("portal", "missing", str(error), error.remedy)
        return
    if not ready:
        how = "wait a moment, or look at the portal's log"
        yield Check("portal", "missing", f"{client.url} answers, but is not ready", how)
        return
    yield Check("portal", "ok", f"{client.url} ({urlsplit(client.url).scheme})")
    try:
        next(client.jobs(status=[], search=None, limit=1), None)
    except Unauthorised as error:
        yield Check("token", "missing", str(error), error.remedy)
    except CliError as error:
        yield Check("token", "missing", str(error), error.remedy)
    else:
        yield Check("token", "ok", f"from {connection.origin}")


def _print(screen: Screen, check: Check) -> None:
    style = "green" if check.state == "ok" else "yellow" if check.optional else "red"
    screen.say(f"{check.state:<8}", f"{check.name:<13}", check.detail, style=style)
    if check.how:
        screen.say(f"{'':<23}how: {check.how}")
