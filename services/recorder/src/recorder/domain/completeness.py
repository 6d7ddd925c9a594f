"""How complete a recording is: one number, and what it is made of.

    score = kept / (kept + missing)

`kept` is the media in the recording, `missing` the sum of its gaps, both in seconds. Gaps are
all that could have been had and was not: segments that were lost, outages on our side, a late
start at a stream that was live before, what a crash took with it, and what the clock says must
be missing. What nobody could have (the source made nothing) is no gap. An empty recording
scores 0. One that could not be verified never scores more than `MOST_UNVERIFIED`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chronicle_contracts.recorder import Completeness, Gap, share_kept

from recorder.domain.delivery import Delivery

MOST_UNVERIFIED = 0.99


def score(kept: float, missing: float, *, is_verified: bool) -> float:
    """Return the share of the media that is there, 0 to 1."""
    if kept <= 0:
        return 0.0
    share = share_kept(kept, missing)
    return share if is_verified else min(share, MOST_UNVERIFIED)


def judged(
    delivery: Delivery,
    gaps: Sequence[Gap],
    *,
    wall_seconds: float | None,
    start_delay: float | None,
    segments_kept: int,
    segments_missed: int,
) -> Completeness:
    """Return what is said of a delivery; without numbered segments nothing is said of them."""
    missing = sum(gap.seconds for gap in gaps)
    # Holes of known length keep their time: the duration spans them.
    kept = max(0.0, delivery.duration - sum(hole.seconds for hole in delivery.losses))
    is_numbered = segments_kept > 0
    return Completeness(
        score=score(kept, missing, is_verified=delivery.is_verified),
        wall_seconds=None if wall_seconds is None else round(wall_seconds, 3),
        missing_seconds=round(missing, 3),
        start_delay=start_delay,
        drift=None if delivery.drift is None else round(delivery.drift, 3),
        segments_expected=segments_kept + segments_missed if is_numbered else None,
        segments_kept=segments_kept if is_numbered else None,
        verified=delivery.is_verified,
    )
