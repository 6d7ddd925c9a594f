"""`manage.py gaps`: what streams lack, and how to get it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.errors import BadParameters
from portal.replay.records import Call, Report
from portal.replay.repairing import accept_gap, find_gaps, repair_gaps


class Command(VerbCommand):
    """Exit code 1 while there are gaps."""

    help = "List what streams lack; --repair gets it from journals and the portal's own store."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and for which jobs."""
        super().add_arguments(parser)
        parser.add_argument("--job", action="append", default=[], help="only this job; repeatable")
        parser.add_argument(
            "--repair", action="store_true", help="put what is missing into the log"
        )
        parser.add_argument("--accept", metavar="STREAM", help="take a lost tail for whole")
        parser.add_argument("--reason", default="", help="why it is taken for whole")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, repair or accept."""
        if options["accept"]:
            if options["repair"]:
                raise BadParameters("--repair and --accept do not go together")
            return accept_gap(call, options["accept"], reason=options["reason"])
        if options["repair"]:
            return repair_gaps(call, jobs=options["job"])
        return find_gaps(call, jobs=options["job"])
