"""`manage.py gaps`: what streams lack, and how to get it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.errors import BadParameters
from portal.replay.records import Call, Report
from portal.replay.repairing import ANSWER_TIME, accept_gap, find_gaps, repair_gaps
from portal.replay.repeats import ask


class Command(VerbCommand):
    """Exit code 1 while there are gaps."""

    help = "List what streams lack; --repair gets it, or asks whoever said it to say it again."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and for which jobs."""
        super().add_arguments(parser)
        parser.add_argument("--job", action="append", default=[], help="only this job; repeatable")
        parser.add_argument(
            "--repair", action="store_true", help="put what is missing into the log"
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=ANSWER_TIME,
            help="repair: seconds to wait for what is asked for",
        )
        parser.add_argument(
            "--ask", metavar="STREAM", help="ask its publisher for what comes after what was heard"
        )
        parser.add_argument("--from", type=int, dest="first", help="ask: from this sequence on")
        parser.add_argument("--to", type=int, dest="last", help="ask: up to this sequence")
        parser.add_argument("--accept", metavar="STREAM", help="take a lost tail for whole")
        parser.add_argument("--reason", default="", help="why it is taken for whole")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, repair, ask or accept."""
        chosen = [name for name in ("repair", "ask", "accept") if options[name]]
        match chosen:
            case []:
                return find_gaps(call, jobs=options["job"])
            case ["repair"]:
                return repair_gaps(call, jobs=options["job"], wait=options["wait"])
            case ["ask"]:
                first, last = options["first"], options["last"]
                return ask(call, options["ask"], from_sequence=first, to_sequence=last)
            case ["accept"]:
                return accept_gap(call, options["accept"], reason=options["reason"])
        raise BadParameters(f"--{' and --'.join(chosen)} do not go together")
