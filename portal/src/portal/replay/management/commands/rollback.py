"""`manage.py rollback`: read the table again that was read before the last swap."""

from __future__ import annotations

from typing import Any

from portal.replay.console import VerbCommand
from portal.replay.records import Call, Report
from portal.replay.swapping import rollback


class Command(VerbCommand):
    """Exit code 1 when no table is kept."""

    help = "Undo the last swap; what was heard since is folded into the old table first."

    def run_verb(self, call: Call, options: dict[str, Any]) -> Report:  # noqa: ARG002 (no options)
        """Roll back."""
        return rollback(call)
