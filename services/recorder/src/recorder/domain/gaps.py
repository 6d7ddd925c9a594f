"""How much media is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chronicle_contracts.recorder import Gap

from recorder.domain.delivery import Hole

# Below that, clocks, buffers and the bursts in which segments come explain the difference.
LEAST_GAP = 1.0


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


def between(
    cause: str, *, wall_seconds: float, media_gained: float, media_seconds: float, at: datetime
) -> Gap | None:
    """Return the gap of a live source that was away for `wall_seconds`, None where there is none.

    What came in one go afterwards (`media_gained`) was not lost. This is an estimate, for
    sources without segment numbers.
    """
    missing = wall_seconds - media_gained
    if missing < LEAST_GAP:
        return None
    return Gap(
        cause=cause,
        seconds=round(missing, 3),
        at_media_seconds=round(max(0.0, media_seconds - media_gained), 3),
        at=at,
    )


def unsaved(seen_seconds: float, saved_seconds: float, at: datetime) -> Gap | None:
    """Return the gap between what was seen to be recorded and what is in the file.

    A remuxer that is killed takes the last second with it. Where in the recording that was
    is not known any more; the gap is put to its end.
    """
    missing = seen_seconds - saved_seconds
    if missing < LEAST_GAP:
        return None
    return Gap(
        cause="not saved",
        seconds=round(missing, 3),
        at_media_seconds=round(saved_seconds, 3),
        at=at,
    )
