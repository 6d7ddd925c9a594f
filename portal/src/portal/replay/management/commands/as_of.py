"""`manage.py as_of`: a job as it was."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.console import VerbCommand
from portal.replay.moments import moment
from portal.replay.past import as_of
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 1 when nothing was known of the job then; it never changes anything."""

    help = "Show a job as it was at a position of the log or at a time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which job, when."""
        super().add_arguments(parser)
        parser.add_argument("job")
        parser.add_argument("--position", type=int, help="of the log")
        parser.add_argument("--time", help="of occurrence: 2026-01-31T12:00:00Z")

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Fold the history up to then."""
        time = moment(options["time"], "--time")
        state = as_of(options["job"], position=options["position"], time=time)
        report = Report("as_of", call.dry_run, items=[state.model_dump(mode="json")])
        report.counts["events on the timeline"] = len(state.timeline)
        return report

    def show(self, report: Report) -> None:
        """Print a line for each field: a row would be too wide."""
        (job,) = report.items
        timeline = job.pop("timeline")
        for name, value in job.items():
            self.stdout.write(f"{name}: {self.word(value)}")
        for line in timeline:
            self.stdout.write(f"  {line['at']}  {line['what']}  {line['detail'] or ''}".rstrip())
