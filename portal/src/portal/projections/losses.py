"""Whether a recording lacks something that there was to record."""

from __future__ import annotations

from collections.abc import Sequence

from chronicle_contracts.recorder import Completeness, Gap

# Below this share of the media that there was, people should know of it: 3.6 s of an hour.
WHOLE = 0.999


def has_losses(gaps: Sequence[Gap], completeness: Completeness) -> bool:
    """Return whether a delivered recording has gaps, or less than `WHOLE` of the media."""
    return bool(gaps) or completeness.score < WHOLE
