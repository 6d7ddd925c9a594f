"""What every command works with, and what becomes of the errors that it raises."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from chronicle_cli.client import ApiClient
from chronicle_cli.configuration import find_connection
from chronicle_cli.errors import CliError
from chronicle_cli.exits import ExitCode
from chronicle_cli.screen import Screen

_JSON = "chronicle.json"


def _remember(context: typer.Context, value: bool) -> bool:
    context.meta[_JSON] = value
    return value


# Eager: an error in another option's value is then already told in the right form.
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON and nothing else.", callback=_remember, is_eager=True),
]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]


def screen_of(context: typer.Context) -> Screen:
    """Return where the answer of the running command goes."""
    return Screen(as_json=bool(context.meta.get(_JSON, False)))


def client_of(context: typer.Context) -> ApiClient:
    """Return a client of the portal that counts here; closed when the command ends.

    Raises `Unreachable` where none is known.
    """
    client = ApiClient(find_connection(os.environ, Path.cwd()))
    context.call_on_close(client.close)
    return client


class ChronicleGroup(TyperGroup):
    """Ends with an error's exit code and words in place of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            screen_of(ctx).fail(error)
            raise typer.Exit(error.code) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(ExitCode.INTERRUPTED) from error
