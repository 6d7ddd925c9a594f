"""`manage.py parked`: jobs whose history cannot be folded."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.parked import ALL, list_parked, retry_parked, skip_event
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 while what was asked about is parked."""

    help = "List parked jobs, fold them again, or pass over the event that parks one."

    def add_arguments(self, parser: CommandParser) -> None:
        """One action each."""
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "retry", "skip"])
        parser.add_argument("job", nargs="*", help="retry: these (default: all); skip: one")
        parser.add_argument("--reason", default="", help="skip: why it may be passed over")
        parser.add_argument(
            "--projection",
            metavar="NAME",
            help=f"skip: only in this one's folds, or in `{ALL}` (default: those that it parks)",
        )
        parser.add_argument("--position", type=int, help="skip: this event, not the first bad one")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """List, retry or skip."""
        jobs: list[str] = options["job"]
        if options["action"] == "list":
            return list_parked(call)
        if options["action"] == "retry":
            return retry_parked(call, jobs=jobs)
        return skip_event(
            call,
            self.only(jobs, "job"),
            reason=options["reason"],
            position=options["position"],
            projection=options["projection"],
        )
