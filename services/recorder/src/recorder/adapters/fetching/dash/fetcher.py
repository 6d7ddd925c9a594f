"""Live DASH: segments by our own loop, one fetcher for each track.

Why not ffmpeg: it repeats segments where their lengths differ, goes through MPEG-TS, which
holds neither VP9 nor AV1 nor Opus, and tells nothing of what it lost. Why not streamlink's
worker: its parser knows one period only, and forgets segments between two manifests.
"""

from __future__ import annotations

import collections
import hashlib
import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from recorder.adapters.fetching.dash.download import Body, DashDownload
from recorder.adapters.fetching.dash.model import Part, Presentation, Wanted
from recorder.adapters.fetching.dash.segments import DashSegment, available, newest_end
from recorder.adapters.fetching.dash.source import DashSource
from recorder.adapters.fetching.fetcher import Fetcher, Sink
from recorder.adapters.fetching.position import Position, Positions
from recorder.adapters.fetching.reloads import ANSWERED_LIMIT, REFUSALS
from recorder.adapters.media.section import Section
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import Hindrance
from recorder.domain.segment import Segment
from recorder.ports import FetchEnd, Ledger

AHEAD = 3  # segments that are fetched side by side
FROM_EDGE = 3  # segments that lie between the begin of a recording and the live edge
FIRST_PATIENCE = 3.0  # seconds for the first look at a manifest that fails
ABSENT = "The segments that the manifest promises are not there."
FILM = -1.0  # the clock of what never was live
PIECE = 8 * 1024 * 1024  # bytes of a file of unknown length that are asked for at once
LEAST_HOLE = 0.1  # seconds between two segments that are missing media and not rounding
MOST_LAG = 10.0  # seconds by which one server of a cluster may be behind the others


class DashFetcher(Fetcher):
    """One track of a presentation; `since` is from when on media is wanted (Unix time).

    `is_rest`: nothing is wanted but what follows on what an earlier fetcher kept.
    """

    def __init__(
        self,
        source: DashSource,
        sink: Sink,
        *,
        wanted: Wanted,
        ledger: Ledger,
        positions: Positions,
        track: int,
        refused_before: set[str],
        since: float | None,
        is_rest: bool = False,
    ) -> None:
        super().__init__(sink, f"dash-{track}")
        self._source = source
        self._wanted = wanted
        self._ledger = ledger
        self._positions = positions
        self._track = track
        self._refused_before = refused_before
        self._since = since
        self._is_rest = is_rest
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix=f"dash-{track}")
        self._asked: collections.deque[tuple[DashSegment, Future[Body]]] = collections.deque()
        self._cursor: float | None = None  # where the segment that was asked for last ends
        self._kept_until = float("-inf")  # where the segment that was kept last ends
        self._clock = 0.0  # `starts_at` of that segment; 0 before the first
        self._period = ""
        self._begun: tuple[Part | None, float, float] | None = None  # what the sink stands on
        self._section = Section()
        self._breaks = False
        self._absent: list[Loss] = []  # promised segments that were not there, so far to the end
        self._absent_since: float | None = None
        self._longest = 0.0
        self._behind = 0
        self._seen = 0
        self._kept_at = time.time()
        self._continues = False
        self._is_first = True  # nothing is kept yet
        self._download = DashDownload(source, self._stop)

    @property
    def patience(self) -> float:
        """Two segments, and a bit for the manifest that tells them."""
        return 2 * self._longest + 2

    @property
    def continues(self) -> bool:
        """Whether it began right after the segment that was kept last."""
        return self._continues

    @property
    def hindrance(self) -> Hindrance | None:
        """What keeps media from coming."""
        if self._absent:
            return Hindrance("frozen", ABSENT)
        return self._source.reloads.hindrance

    @property
    def is_numbered(self) -> bool:
        """Every segment is told apart, so that the losses are all that is missing."""
        return True

    def _fetch(self) -> FetchEnd:
        self._source.begin()
        try:
            while not self._stop.is_set():
                end = self._step()
                if end is not None:
                    return end
            return FetchEnd("broken", "It was stopped.")
        finally:
            self._source.leave()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _step(self) -> FetchEnd | None:
        reloads, shown = self._source.reloads, self._source.presentation
        if reloads.refusal is not None:
            return FetchEnd("refused", reloads.refusal)
        # What could not be read even once is nothing to wait for.
        if reloads.is_given_up or (shown is None and reloads.failing_for > FIRST_PATIENCE):
            return FetchEnd("broken", reloads.trouble)
        if shown is not None:
            self._ask(shown)
        if self._asked:
            return self._take()
        if shown is not None and self._is_over(shown):
            return self._natural_end()
        if self._absent_since and time.monotonic() - self._absent_since > ANSWERED_LIMIT:
            return FetchEnd("broken", ABSENT)
        self._stop.wait(0.1)
        return None

    def _natural_end(self) -> FetchEnd:
        if self._is_first and not self._continues and self._download.trouble:
            return FetchEnd("broken", f"No segment could be had: {self._download.trouble}")
        return FetchEnd("ended", "The source marked the end of the stream.")

    # What to fetch

    def _ask(self, shown: Presentation) -> None:
        """Ask for the next segments, so many at once."""
        if self._cursor is None and not self._is_placed(shown):
            return
        self._heed_new_clock()
        self._watch_for_reset(shown)
        for segment in itertools.islice(self._next(shown), AHEAD - len(self._asked)):
            self._note_hole(segment, shown)
            self._cursor, self._clock = segment.ends, self._source.starts_at or FILM
            self._period = segment.period.id
            self._longest = max(self._longest, min(segment.seconds, 3600.0))
            self._asked.append((segment, self._pool.submit(self._body, segment)))

    def _next(self, shown: Presentation) -> Iterator[DashSegment]:
        assert self._cursor is not None
        source = self._source
        return available(
            shown, self._wanted, source.starts_at, after=self._cursor, now=source.now()
        )

    def _is_placed(self, shown: Presentation) -> bool:
        """Decide where to begin; return whether that is known."""
        source = self._source
        kept = self._positions.of(self._track)
        if kept is not None and kept.name.startswith("dash "):
            self._clock = float(kept.name.split()[1]) or FILM
            if shown.starts_at is None and self._clock != FILM:
                source.starts_at = self._clock
            self._cursor = self._kept_until = kept.number / 1e6
            self._kept_at = kept.at
            self._continues = True
            return True
        if self._is_rest:
            self._cursor = float("inf")
            return True
        if not shown.is_live:
            self._cursor = float("-inf")
            return True
        if self._since is not None:
            self._cursor = source.begin_at(self._since)
            return True
        now = source.now()
        edge = newest_end(shown, self._wanted, source.starts_at, now)
        if edge is None:
            return False
        there = available(shown, self._wanted, source.starts_at, after=edge - 120, now=now)
        last = collections.deque(there, FROM_EDGE)
        self._cursor = source.begin_at(last[0].begins)
        return True

    def _heed_new_clock(self) -> None:
        """Forget what was promised by a clock that holds no more: the encoder began anew."""
        starts_at = self._source.starts_at
        if self._clock in {0.0, FILM, starts_at} or not starts_at:
            return
        for _, future in self._asked:
            future.cancel()
        self._asked.clear()
        self._absent, self._absent_since = [], None
        self._cursor, self._breaks = self._kept_until, True

    def _watch_for_reset(self, shown: Presentation) -> None:
        """See whether the source counts anew: two manifests that end far before the cursor."""
        source = self._source
        if source.looks == self._seen or not shown.is_live:
            return
        self._seen = source.looks
        newest = newest_end(shown, self._wanted, source.starts_at, source.now())
        assert self._cursor is not None
        lag = max(MOST_LAG, 3 * self._longest)
        is_behind = newest is not None and newest < self._cursor - lag
        self._behind = self._behind + 1 if is_behind else 0
        if self._behind < 2:
            return
        self._behind = 0
        self._cursor, self._breaks = float("-inf"), True
        listed = sum(one.seconds for one in itertools.islice(self._next(shown), 10_000))
        missing = time.time() - self._kept_at - listed
        if missing > 1:
            self.lose(Loss("source began anew", missing))

    def _note_hole(self, segment: DashSegment, shown: Presentation) -> None:
        assert self._cursor is not None
        if not (self._clock or self._continues):
            return  # the first one
        before = self._cursor
        starts_at = self._source.starts_at
        if starts_at and starts_at != self._clock:
            before = max(before, starts_at + shown.periods[0].begins)
        elif segment.period.id != self._period and any(
            one.id == self._period for one in shown.periods
        ):
            before = max(before, starts_at + segment.period.begins)
        missing = segment.begins - before
        if missing > LEAST_HOLE and before > float("-inf"):
            count = max(1, round(missing / segment.seconds)) if segment.seconds else 1
            loss = Loss("segments left the manifest", missing, count)
            # While promises are not kept, nobody knows whether there was anything.
            if segment.is_promised and self._absent:
                self._absent.append(loss)
            else:
                self.lose(loss)

    def _is_over(self, shown: Presentation) -> bool:
        if not shown.is_live:
            return True
        ends = shown.periods[-1].ends if shown.periods else None
        # It will not change any more, and its time is over.
        is_known = ends is not None and shown.update_every is None
        return is_known and self._source.starts_at + (ends or 0) < self._source.now()

    def _body(self, segment: DashSegment) -> Body:
        # A file of unknown length is fetched in pieces, when it is its turn.
        return Body(b"") if segment.is_whole else self._download.get(segment.part, segment)

    # Keeping, one after the other

    def _take(self) -> FetchEnd | None:
        segment, future = self._asked[0]
        wait([future], 0.2)
        if not future.done():
            return None
        self._asked.popleft()
        body = future.result()
        if self._stop.is_set():
            return None
        if body.content is not None and self._is_begun(segment):
            if segment.is_whole:
                return self._keep_whole(segment)
            self._keep(segment, body.content)
            return None
        return self._missed(segment, body.status)

    def _missed(self, segment: DashSegment, status: int | None) -> FetchEnd | None:
        name = f"{segment.number} {segment.part.url.partition('?')[0]}"
        if status in REFUSALS and name not in self._refused_before:
            self._refused_before.add(name)
            detail = f"Segment {segment.number} is refused with status {status}."
            return FetchEnd("refused", detail)
        loss = Loss("segment unavailable", segment.seconds, 1)
        self._source.hurry()
        if segment.is_promised and status == 404:
            # If none comes after it, nothing was there to be had.
            self._absent.append(loss)
            self._absent_since = self._absent_since or time.monotonic()
        else:
            self.lose(loss)
        return None

    def _is_begun(self, segment: DashSegment) -> bool:
        """Tell the sink what the segment stands on; return False if that cannot be had."""
        wanted = (segment.initial, round(segment.shift, 6), self._source.starts_at)
        if wanted == self._begun and not self._breaks:
            return True
        head = b""
        if segment.initial is not None:
            found = self._download.get(segment.initial, segment)
            if found.content is None:
                return False
            head = found.content
        before, self._begun = self._begun, wanted
        is_break = self._breaks or (before is not None and wanted[1:] != before[1:])
        self._breaks = False
        self._section = Section(head, wanted[1])
        self._sink.begin_section(self._section, is_break=is_break)
        return True

    def _keep(self, segment: DashSegment, content: bytes) -> None:
        self._sink.write(content)
        # What left the window while the first was being had was never part of this recording.
        is_begin = self._is_first and not self._continues
        for loss in () if is_begin else self._absent:
            self.lose(loss)
        self._absent, self._absent_since = [], None
        self._kept_at = time.time()
        self._note(segment, len(content), hashlib.sha256(content).hexdigest())

    def _keep_whole(self, segment: DashSegment) -> FetchEnd | None:
        """Bring a file of unknown length in pieces, behind its initialization section."""
        initial, digest = segment.initial, hashlib.sha256()
        size = 0
        if initial is not None and initial.byte_range is not None:
            size = (initial.byte_range[1] or 0) + 1
        begins = size
        while not self._stop.is_set():
            piece = Part(segment.part.url, (size, size + PIECE - 1))
            found = self._download.get(piece, segment)
            if found.status == 416:
                break
            if found.content is None:
                return self._missed(segment, found.status)
            self._sink.write(found.content)
            digest.update(found.content)
            size += len(found.content)
            if len(found.content) < PIECE:
                break
        if not self._stop.is_set():
            self._note(segment, size - begins, digest.hexdigest())
        return None

    def _note(self, segment: DashSegment, size: int, sha256: str) -> None:
        self._is_first = False
        self._kept_until = segment.ends
        # The end in millionths of a second, and the clock that it is told by.
        name = f"dash {self._source.starts_at!r}"
        position = Position.of(round(segment.ends * 1e6), name, segment.seconds)
        is_dated = self._source.starts_at > 0
        self._ledger.keep(
            Segment(
                sequence=segment.number,
                at=position.kept_at,
                seconds=segment.seconds,
                size=size,
                sha256=sha256,
                programme_time=datetime.fromtimestamp(segment.begins, UTC) if is_dated else None,
                track=self._track,
            )
        )
        self._positions.move(self._track, position)
