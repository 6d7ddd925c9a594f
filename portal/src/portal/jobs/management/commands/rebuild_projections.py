"""`manage.py rebuild_projections`: fold every job anew from the log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.jobs.verification import Counts, differences, rebuild


class Command(BaseCommand):
    """Exit code 0 when every job could be folded, else 1."""

    help = "Write the read models of all jobs anew from the event log."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer a dry run."""
        parser.add_argument(
            "--dry-run", action="store_true", help="only say which jobs would be written otherwise"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rebuild, with a line for each chunk."""
        if options["dry_run"]:
            counts = Counts()
            for difference in differences(counts):
                self.stdout.write(f"{difference.job_id}: {difference.what}")
            self.stdout.write(f"{counts.jobs} jobs, {counts.differing} would change")
            return
        counts = Counts()
        for counts in rebuild():
            self.stdout.write(f"{counts.jobs} jobs folded")
        self.stdout.write(
            f"{counts.written} rows written, {counts.removed} removed, {counts.parked} jobs parked"
        )
        if counts.parked:
            raise CommandError(f"{counts.parked} jobs cannot be folded; see the parked jobs")
