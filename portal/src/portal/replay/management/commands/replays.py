"""`manage.py replays`: what was done with the log, and the work that waits."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.models import Replay
from portal.replay.records import Call, Report
from portal.replay.work import describe, tend, work

_NEWEST = 50


class Command(VerbCommand):
    """Exit code 1 when something of the work failed or was left undone."""

    help = "List the newest records, or carry out what was asked for by API and admin."

    def add_arguments(self, parser: CommandParser) -> None:
        """Look or work."""
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "work"])

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, or work until nothing waits."""
        if options["action"] == "work":
            if not call.dry_run:
                tend()
            return work(call)
        report = Report("replays", call.dry_run)
        for record in Replay.objects.order_by("-started_at")[:_NEWEST]:
            report.items.append(describe(record))
            report.counts[str(record.outcome)] += 1
        return report
