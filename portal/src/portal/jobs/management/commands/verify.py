"""`manage.py verify`: compare the read models with what the log says."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.jobs.verification import Counts, differences


class Command(BaseCommand):
    """Exit code 0 when the read models are what the log folds to, 1 where they differ."""

    help = "Fold every job from the event log and compare with its read model."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Compare all jobs; a line for each difference."""
        counts = Counts()
        for difference in differences(counts):
            self.stdout.write(f"{difference.job_id}: {difference.what}")
        self.stdout.write(f"{counts.jobs} jobs compared, {counts.differing} differ")
        if counts.differing:
            raise CommandError(f"{counts.differing} read models differ; run rebuild_projections")
