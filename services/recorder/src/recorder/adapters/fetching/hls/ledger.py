"""What one HLS fetcher knows about its segments: where it stands, what it missed, what failed.

Worker and writer are threads of streamlink's; both write here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recorder.adapters.fetching.position import Position
from recorder.adapters.fetching.reloads import REFUSALS, Reloads
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import Hindrance
from recorder.domain.segment import Segment

if TYPE_CHECKING:
    from streamlink.stream.hls.segment import HLSSegment

_REMEMBERED = 1000  # segments
MOST_LAG = 3  # segments by which one server of a cluster may be behind the others
LEAST_STILL = 5.0  # seconds


class SegmentLedger:
    """`begin_after` is the last segment that was kept, by this or an earlier process.

    Where there is none, `since` is the moment (Unix time) from which on media is wanted; None
    for the live edge. `is_rest`: nothing is wanted but what follows on `begin_after`.
    """

    def __init__(
        self,
        *,
        begin_after: Position | None,
        since: float | None,
        is_rest: bool = False,
        refused_before: set[str],
        lose: Callable[[Loss], None],
        keep: Callable[[Position, Segment], None],
    ) -> None:
        # True once everything since `begin_after` is either fetched or counted as lost.
        self.continues = False
        self.reloads = Reloads("playlist")
        self.refusal: str | None = None  # of a segment
        self.target_duration = 0.0
        self._begin_after = begin_after
        self._since = since
        self._is_rest = is_rest
        self._refused_before = refused_before
        self._lose = lose
        self._keep = keep
        self._listed: dict[int, str] = {}
        self._dates: dict[int, datetime] = {}
        self._suspicions = 0
        self._advanced_at = self._read_at = time.monotonic()
        self._newest_ends: datetime | None = None
        self._newest = self._done = -1  # segments: offered last, kept or given up last

    # The playlist

    def first_wanted(self, segments: Sequence[HLSSegment], *, has_ended: bool) -> int | None:
        """Return the number to begin with; None for the live edge, and for the whole of a film."""
        after = self._begin_after
        nothing = segments[-1].num + 1
        if after is None and not self._is_rest:
            # When the newest segment of one that has ended was made, nobody knows.
            return None if has_ended else self._first_since(segments)
        if after is None:
            return nothing
        self.continues = True
        is_listed = (after.number, after.name) in map(_identity, segments)
        # Older than the window: the same count went on, and what lies between is lost.
        if is_listed or segments[0].num > after.number:
            return after.number + 1
        if self._is_rest:
            self.continues = False
            return nothing  # all of it again, under other names
        self._lose_since(after.age(), segments)
        return segments[0].num

    def _first_since(self, segments: Sequence[HLSSegment]) -> int | None:
        if self._since is None:
            return None
        # The newest one was made just now, whatever the clocks of others say.
        began, first = time.time(), segments[-1].num
        for segment in reversed(segments):
            if began <= self._since:
                break
            began, first = began - segment.duration, segment.num
        return first

    def skipped(self, count: int, segment: HLSSegment) -> None:
        """Note segments that left the playlist before they were fetched."""
        seconds = count * segment.duration
        if self._begin_after is not None and self.continues:
            seconds = min(seconds, self._begin_after.age())
        self._lose(Loss("segments left the playlist", seconds, count))

    def is_reset(self, segments: Sequence[HLSSegment], expected: int) -> bool:
        """Return whether the source counts anew: old numbers, but for segments never seen.

        Names tell that, or, where the new ones lie over the old ones, dates; without either,
        numbers that are too low. Two playlists must agree: a server of a cluster may lag behind
        for one reload.
        """
        identities = [_identity(segment) for segment in segments]
        is_unknown = not any(self._listed.get(number) == name for number, name in identities)
        is_old = segments[-1].num < expected or any(n in self._listed for n, _ in identities)
        is_strange = (is_unknown and is_old) or self._is_overwritten(segments[-1], expected)
        self._suspicions = self._suspicions + 1 if is_strange else 0
        return self._suspicions >= 2

    def _is_overwritten(self, last: HLSSegment, expected: int) -> bool:
        if last.num >= expected - 1:
            return False
        before = self._dates.get(last.num)
        if last.date is None or before is None:
            return last.num < expected - 1 - MOST_LAG
        return abs((last.date - before).total_seconds()) > last.duration

    @property
    def is_suspicious(self) -> bool:
        """Whether the playlist that was judged last may be one that counts anew."""
        return self._suspicions > 0

    def reset(self, segments: Sequence[HLSSegment]) -> None:
        """The source counts anew, beginning with these segments."""
        self._suspicions = 0
        self._listed.clear()
        self._dates.clear()
        self._done = segments[0].num - 1
        # For as long as the old playlist could be read there was nothing more to be had.
        self._lose_since(time.monotonic() - self._read_at, segments)

    def _lose_since(self, away: float, segments: Sequence[HLSSegment]) -> None:
        missing = away - sum(segment.duration for segment in segments)
        began = segments[0].date
        ended = self._newest_ends
        # Dates without a zone cannot be held against those with one.
        if began and ended and (began.tzinfo is None) == (ended.tzinfo is None):
            jump = (began - ended).total_seconds()
            # By its own clock the source made no more than this; a clock set back says nothing.
            missing = min(missing, jump) if jump >= 0 else missing
        if missing > 1:
            self._lose(Loss("source began anew", missing))

    def list(self, segments: Sequence[HLSSegment]) -> None:
        """Remember what a playlist offered."""
        self.reloads.worked()
        new = dict(map(_identity, segments))
        self._read_at = time.monotonic()
        if new.keys() - self._listed.keys():
            self._advanced_at = self._read_at
        last = segments[-1] if segments else None
        if last is not None:
            self._newest = last.num
        if last is not None and last.date is not None:
            self._newest_ends = last.date + timedelta(seconds=last.duration)
        self._listed |= new
        self._dates |= {one.num: one.date for one in segments if one.date is not None}
        for number in sorted(self._listed)[:-_REMEMBERED]:
            del self._listed[number]
            self._dates.pop(number, None)

    @property
    def is_behind(self) -> bool:
        """Whether segments were offered that are neither kept nor given up yet."""
        return 0 <= self._done < self._newest

    @property
    def hindrance(self) -> Hindrance | None:
        """What is the matter with the playlist."""
        if (failure := self.reloads.hindrance) is not None:
            return failure
        still_for = time.monotonic() - self._advanced_at
        if self._listed and still_for > max(LEAST_STILL, 2 * self.target_duration):
            return Hindrance("frozen", f"Nothing was added to the playlist for {still_for:.0f} s.")
        return None

    # The segments

    def segment_failed(self, segment: HLSSegment, status: int | None) -> None:
        """Note a segment that could not be had; a refusal is asked about once, then lost."""
        name = f"{segment.num} {urlsplit(segment.uri).path}"
        if status in REFUSALS and name not in self._refused_before:
            self._refused_before.add(name)
            self.refusal = f"Segment {segment.num} is refused with status {status}."
            return
        self._done = segment.num
        self._lose(Loss("segment unavailable", segment.duration, 1))

    def kept(self, segment: HLSSegment, size: int, sha256: str) -> None:
        """Note that a segment is in the recording; size and digest are of its body as served."""
        self._done = segment.num
        position = Position.of(*_identity(segment), seconds=segment.duration)
        self._keep(
            position,
            Segment(
                sequence=segment.num,
                at=position.kept_at,
                seconds=segment.duration,
                size=size,
                sha256=sha256,
                programme_time=segment.date,
                discontinuity=bool(segment.discontinuity),
            ),
        )


def _identity(segment: HLSSegment) -> tuple[int, str]:
    # By the last part of its path: sites sign queries anew with every playlist, and a cluster
    # serves the same segment from several folders.
    return segment.num, urlsplit(segment.uri).path.rpartition("/")[2]
