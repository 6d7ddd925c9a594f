"""`manage.py export`: the whole log as JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.exporting import export
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 when the file could not be written whole; the same command goes on with it."""

    help = "Write the log into a file, for a backup or another database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Export."""
        return export(call, options["file"])
