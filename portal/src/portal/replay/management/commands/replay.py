"""`manage.py replay`: events once more, for one consumer alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.errors import BadParameters
from portal.replay.moments import moment
from portal.replay.records import Call, Report
from portal.replay.sending import Selection, replay, resume


class Command(VerbCommand):
    """Exit code 1 when it did not reach the end; --resume goes on."""

    help = "Send events of the log straight into a consumer's queue; nobody else hears them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which events, to whom, how fast."""
        super().add_arguments(parser)
        parser.add_argument("--to", metavar="CONSUMER", help="portal, dispatcher, seeder ...")
        parser.add_argument("--type", action="append", default=[], help="in full or the name alone")
        parser.add_argument("--job", action="append", default=[], help="a job id; repeatable")
        parser.add_argument("--since", help="heard at this time or later: 2026-01-31T12:00:00Z")
        parser.add_argument("--until", help="heard before this time")
        parser.add_argument("--all", action="store_true", help="the whole log")
        parser.add_argument("--rate", type=float, help="events a second at most")
        parser.add_argument(
            "--force", action="store_true", help="let it do again what it has done already"
        )
        parser.add_argument("--resume", metavar="ID", help="go on with an interrupted replay")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Send, or go on."""
        if options["resume"]:
            return resume(call, options["resume"])
        if not options["to"]:
            raise BadParameters("say whose queue the events are for: --to CONSUMER")
        selection = Selection(
            types=tuple(options["type"]),
            jobs=tuple(options["job"]),
            since=moment(options["since"], "--since"),
            until=moment(options["until"], "--until"),
            everything=options["all"],
        )
        rate, force = options["rate"], options["force"]
        return replay(call, options["to"], selection, rate=rate, force=force)
