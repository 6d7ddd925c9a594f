"""The command and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from chronicle_cli import __version__
from chronicle_cli.commands import (
    doctor,
    download,
    events,
    extend,
    jobs,
    record,
    retry,
    show,
    stop,
    watch,
)
from chronicle_cli.session import ChronicleGroup

app = typer.Typer(
    name="chronicle",
    cls=ChronicleGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "The portal is CHRONICLE_URL with CHRONICLE_TOKEN, else the one of `make up` "
        "(cli.json in CHRONICLE_HOME). Exit codes: 0 done, 1 failed, 2 usage, 3 rejected, "
        "4 cancelled, 5 portal not reachable, 6 not authorised, 7 not found, 8 conflict, "
        "130 interrupted."
    ),
)

COMMANDS = (record, jobs, show, watch, stop, extend, retry, events, download, doctor)
for module in COMMANDS:
    app.command(module.NAME)(module.run)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"chronicle {__version__}")
        raise typer.Exit


@app.callback()
def chronicle(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Record live streams: ask for a recording, follow it, stop it, download it."""
