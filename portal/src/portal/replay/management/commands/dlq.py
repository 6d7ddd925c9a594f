"""`manage.py dlq`: messages that a consumer could not handle."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.deadletters import depths, drop_dead_letter, list_dead_letters, redrive
from portal.replay.errors import BadParameters
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 while there are dead letters, or when one could not be sent."""

    help = "List dead letters, send them to their queue again, or drop one."

    def add_arguments(self, parser: CommandParser) -> None:
        """One action each."""
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "redrive", "drop"])
        parser.add_argument("queue", nargs="?", help="list: without it, count those of all queues")
        parser.add_argument("--message", action="append", default=[], help="only this id")
        parser.add_argument("--rate", type=float, help="redrive: messages a second at most")
        parser.add_argument("--reason", default="", help="drop: why")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, redrive or drop."""
        queue: str | None = options["queue"]
        if options["action"] == "list":
            return list_dead_letters(call, queue) if queue else depths(call)
        if not queue:
            raise BadParameters("name the queue whose dead letters are meant")
        if options["action"] == "redrive":
            return redrive(call, queue, messages=options["message"], rate=options["rate"])
        message = self.only(options["message"], "--message")
        return drop_dead_letter(call, queue, message, reason=options["reason"])
