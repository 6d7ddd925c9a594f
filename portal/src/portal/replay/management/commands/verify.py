"""`manage.py verify`: compare the read models with what the log says."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from portal.replay.building import verify
from portal.replay.choosing import add_projection
from portal.replay.console import VerbCommand
from portal.replay.records import Call, Report


class Command(VerbCommand):
    """Exit code 0 when the read models are what the log folds to, 1 where they differ."""

    help = "Fold every job from the event log and compare with its read model."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer to choose."""
        super().add_arguments(parser)
        add_projection(parser)

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:
        """Compare all jobs; a line for each difference."""
        return verify(call, projections=options["projection"])
