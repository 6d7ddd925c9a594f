"""`manage.py rebuild`: read models anew, beside the ones that everybody reads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.building import rebuild
from portal.replay.choosing import add_projection
from portal.replay.console import VerbCommand
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 when a job could not be folded; `swap` makes everybody read the build."""

    help = "Fold every job into new tables, and say what a swap would change."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer to begin anew, and to choose."""
        super().add_arguments(parser)
        parser.add_argument("--fresh", action="store_true", help="give up a build under way")
        add_projection(parser)

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Build, or go on."""
        return rebuild(call, fresh=options["fresh"], projections=options["projection"])
