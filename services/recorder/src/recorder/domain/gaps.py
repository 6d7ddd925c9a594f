"""How much media is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts.recorder import Gap

from recorder.domain.delivery import Delivery, Hole

# Below that, clocks, buffers and the bursts in which segments come explain the difference.
LEAST_GAP = 1.0
# Where a stream is cut, its tracks may end a segment's part or two apart.
LEAST_DRIFT = 3.0


@dataclass(frozen=True)
class Loss:
    """Media that the fetcher knows to have missed: so many `segments` that it could not get.

    0 segments: the source does not number them, or counted anew.
    """

    cause: str
    seconds: float
    segments: int = 0


def of_loss(loss: Loss, media_seconds: float, at: datetime) -> Gap:
    """Return the gap that a loss leaves at this place of the recording."""
    return Gap(
        cause=loss.cause,
        seconds=round(loss.seconds, 3),
        at_media_seconds=round(media_seconds, 3),
        at=at,
    )


def of_hole(hole: Hole, at: datetime) -> Gap:
    """Return the gap that a hole in the delivered object is."""
    return Gap(
        cause=hole.cause,
        seconds=round(hole.seconds, 3),
        at_media_seconds=round(hole.at_media_seconds, 3),
        at=at,
    )


def at_end(cause: str, seconds: float, media_seconds: float, at: datetime) -> Gap | None:
    """Return the gap of media that is missing behind the last that was kept; None if too short."""
    return _gap(cause, seconds, media_seconds, at)


def at_start(cause: str, seconds: float, at: datetime) -> Gap | None:
    """Return the gap of media that is missing before the first that was kept."""
    return _gap(cause, seconds, 0.0, at)


def given_up(seconds: float, media_seconds: float, at: datetime) -> Gap:
    """Return the gap of a stream that nobody follows any more, however short it is by now."""
    return Gap(
        cause="given up",
        seconds=round(max(0.0, seconds), 3),
        at_media_seconds=round(media_seconds, 3),
        at=at,
    )


def of_drift(delivery: Delivery, known: Sequence[Gap], at: datetime) -> Gap | None:
    """Return the gap of a track that ends before the other, None where that was said already."""
    drift = delivery.drift or 0.0
    if drift < LEAST_DRIFT:
        return None
    place = max(0.0, delivery.duration - drift)
    if any(gap.at_media_seconds >= place - LEAST_DRIFT for gap in known):
        return None
    return _gap("one track ends early", drift, place, at)


def between(
    cause: str, *, wall_seconds: float, media_gained: float, media_seconds: float, at: datetime
) -> Gap | None:
    """Return the gap of a live source that was away for `wall_seconds`, None where there is none.

    What came in one go afterwards (`media_gained`) was not lost. This is an estimate, for
    sources without segment numbers.
    """
    place = max(0.0, media_seconds - media_gained)
    return _gap(cause, wall_seconds - media_gained, place, at)


def unsaved(seen_seconds: float, saved_seconds: float, at: datetime) -> Gap | None:
    """Return the gap between what was seen to be recorded and what is in the file.

    A remuxer that is killed takes the last second with it. Where in the recording that was
    is not known any more; the gap is put to its end.
    """
    return _gap("not saved", seen_seconds - saved_seconds, saved_seconds, at)


def _gap(cause: str, seconds: float, media_seconds: float, at: datetime) -> Gap | None:
    if seconds < LEAST_GAP:
        return None
    return Gap(
        cause=cause,
        seconds=round(seconds, 3),
        at_media_seconds=round(media_seconds, 3),
        at=at,
    )
