"""`manage.py quarantine`: messages that could not enter the log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.eventlog.models import QuarantinedMessage
from portal.replay.console import VerbCommand
from portal.replay.quarantine import drop, list_quarantine, release
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 while what was asked about is undecided."""

    help = "List quarantined messages, put them through the inbox again, or drop them."

    def add_arguments(self, parser: CommandParser) -> None:
        """One action each."""
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "release", "drop"])
        parser.add_argument("id", nargs="*", type=int, help="release: default is all open ones")
        parser.add_argument("--kind", choices=QuarantinedMessage.Reason.values, help="only these")
        parser.add_argument("--reason", default="", help="drop: why")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, release or drop."""
        if options["action"] == "list":
            return list_quarantine(call, reason=options["kind"])
        if options["action"] == "release":
            return release(call, ids=options["id"], reason=options["kind"])
        return drop(call, ids=options["id"], reason=options["reason"])
