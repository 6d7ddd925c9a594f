"""`manage.py import`: an export into an empty system."""

# ruff: noqa: N999 (the name of the command)
from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.importing import import_log
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 when the file does not fit or a job cannot be folded."""

    help = "Read an export into an empty system; interrupted, the same command goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Import."""
        return import_log(call, options["file"])
