"""Progress: events that say what the one before them said, with other numbers."""

from __future__ import annotations

from chronicle_contracts.recorder import Heartbeat
from chronicle_contracts.seeder import SeedingProgress

# Of these only the newest of a stream counts for a state; a long recording has thousands.
PROGRESS_TYPES = frozenset({Heartbeat.TYPE, SeedingProgress.TYPE})
