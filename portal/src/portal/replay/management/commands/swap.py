"""`manage.py swap`: let everybody read the build that is ready."""

from __future__ import annotations

from typing import Any

from portal.replay.console import VerbCommand
from portal.replay.records import Call, Report
from portal.replay.swapping import swap


class Command(VerbCommand):
    """Exit code 1 when no build is ready."""

    help = "Swap the rebuilt read model in; the old table is kept for a rollback."

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:  # noqa: ARG002 (no options)
        """Swap."""
        return swap(call)
