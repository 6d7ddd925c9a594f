"""How much media is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chronicle_contracts.recorder import Gap

from recorder.domain.delivery import Delivery, File, Hole

# Below that, clocks, buffers and the bursts in which segments come explain the difference.
LEAST_GAP = 1.0
# A file that was torn from its writer lacks something: less than this is the writer's own count.
LEAST_TORN = 0.1
# The same where only the last report of its writer tells, which is half a second old.
LEAST_UNCOUNTED = 0.25
# Where a stream is cut, its tracks may end a segment's part or two apart.
LEAST_DRIFT = 3.0


@dataclass(frozen=True)
class Loss:
    """Media that the fetcher knows to have missed: so many `segments` that it could not get.

    0 segments: the source does not number them, or counted anew. `at` is when that was known;
    None before it was said.
    """

    cause: str
    seconds: float
    segments: int = 0
    at: datetime | None = field(default=None, compare=False)


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


def torn(files: Sequence[File], given: Mapping[str, float], at: datetime) -> tuple[list[Gap], bool]:
    """Return what files lack of that which they were `given`; and whether that is all.

    A remuxer that is killed takes along what it held back, a second or less; with one that is
    killed at its beginning the file is lost. What a final file was given is in it.
    """
    found: list[Gap] = []
    saved = {file.name: file for file in files if file.name}
    # What a machine that is gone had stored has lost its name, and kept its turn.
    nameless = [file for file in files if not file.name]
    absent = [name for name in given if name not in saved]
    if nameless and len(nameless) != len(absent):
        return found, False
    saved |= dict(zip(absent, nameless, strict=False))
    place = 0.0
    for name, seconds in given.items():
        file = saved.get(name)
        place = file.ends_at if file else place
        if file is not None and file.is_final:
            continue
        lost = seconds - (file.seconds if file else 0.0)
        if gap := _gap("not saved", lost, place, at, least=LEAST_TORN):
            found.append(gap)
    return found, all(file.is_final or name in given for name, file in saved.items())


def unsaved(
    seen_seconds: float, saved_seconds: float, at: datetime, *, least: float = LEAST_GAP
) -> Gap | None:
    """Return the gap between what was seen to be recorded and what is in the file.

    Where in the recording that was is not known; the gap is put to its end.
    """
    return _gap("not saved", seen_seconds - saved_seconds, saved_seconds, at, least=least)


def is_same(gap: Gap, other: Gap) -> bool:
    """Return whether two gaps are the same, found twice."""
    return gap.model_copy(update={"at": other.at}) == other


def is_taken_back(gap: Gap, attempt: int, asked_since: Mapping[int, datetime]) -> bool:
    """Return whether a later attempt asked again for what this one missed.

    It has that now, or has missed it itself.
    """
    at = gap.at
    return at is not None and any(
        later > attempt and at > since for later, since in asked_since.items()
    )


def _gap(
    cause: str, seconds: float, media_seconds: float, at: datetime, *, least: float = LEAST_GAP
) -> Gap | None:
    if seconds < least:
        return None
    return Gap(
        cause=cause,
        seconds=round(seconds, 3),
        at_media_seconds=round(media_seconds, 3),
        at=at,
    )
