"""Joining files without re-encoding: their clusters, one file's behind the other's.

Done by ourselves and in one pass, so that what is joined may lie in a bucket and what is made may
go there; ADR 10 tells why not by ffmpeg. What of one file can follow in the track of another
does; what cannot gets a track of its own, at its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import BinaryIO, Protocol

import structlog

from recorder.adapters.media.ebml import Damage, Elements, Unreadable
from recorder.adapters.media.matroska import (
    MILLISECOND,
    PICTURES,
    SOUND,
    Block,
    ClusterBegins,
    Head,
    Track,
    blocks,
    head_of,
)
from recorder.adapters.media.matroska_writer import Entry, MatroskaWriter
from recorder.domain.delivery import File, Hole, Stretch

log = structlog.get_logger(__name__)

SAVED_EVERY = 16 * 1024 * 1024  # bytes
LATEST_START = 1000  # milliseconds
MOST_TRACKS = 100  # numbers of one byte reach 126


class CannotJoin(Exception):
    """There is nothing in the files that can be joined; the message says why."""


class Source(Protocol):
    """A file to be joined."""

    @property
    def name(self) -> str:
        """For the log."""

    @property
    def holes(self) -> Sequence[tuple[int, int]]:
        """Where (start, end) it holds nothing."""

    def open(self) -> BinaryIO:
        """Return its bytes, to be read once from the beginning."""


@dataclass(frozen=True)
class Joined:
    """What was made: seconds, of what, where it changes, what is missing in it."""

    duration: float
    files: tuple[File, ...]
    stretches: tuple[Stretch, ...]
    holes: tuple[Hole, ...]


@dataclass
class _Out:
    """A track of the joined file; `privates` are the heads that its pictures stand on."""

    number: int
    track: Track
    begins_at: float = 0.0
    privates: set[bytes] = field(default_factory=set)


def join(
    sources: Sequence[Source], target: BinaryIO, *, saved: Callable[[], None] = lambda: None
) -> Joined:
    """Write the media of the sources, one after the other, as one finalised file.

    One is fine: an unfinalised file gets its duration and its index that way. `saved` is called
    now and then, with the target flushed. Raises `CannotJoin`, and what reading raises.
    """
    return _Joining(sources, target, saved).run()


def is_media(source: Source) -> bool:
    """Return whether a file begins as one that can be joined."""
    return _head(source) is not None


class _Joining:
    def __init__(
        self, sources: Sequence[Source], target: BinaryIO, saved: Callable[[], None]
    ) -> None:
        self._heads = [(one, head) for one in sources if (head := _head(one)) is not None]
        if not self._heads:
            raise CannotJoin("None of the files holds media that can be read.")
        self._target = target
        self._saved = saved
        self._saved_at = 0
        self._outs: list[_Out] = []
        self._ways = [self._way(head) for _, head in self._heads]
        self._base = 0  # milliseconds
        self._files: list[File] = []
        self._stretches: list[Stretch] = []
        self._holes: list[Hole] = []

    def run(self) -> Joined:
        first = {kind: self._first(kind) for kind in (PICTURES, SOUND)}
        entries = [
            Entry(out.number, out.track, is_default=out is first[out.track.type])
            for out in self._outs
        ]
        writer = MatroskaWriter(self._target, entries)
        for (source, head), way in zip(self._heads, self._ways, strict=True):
            self._copy(source, head, way, writer)
        if self._base == 0:
            raise CannotJoin("There is no media in the files.")
        writer.finish(self._base / 1000)
        return Joined(
            self._base / 1000, tuple(self._files), self._told_stretches(), tuple(self._holes)
        )

    # Tracks

    def _way(self, head: Head) -> dict[int, _Out]:
        """Return where each track of a file goes; makes new ones where it must."""
        way: dict[int, _Out] = {}
        for track in head.tracks.values():
            if track.type not in {PICTURES, SOUND}:
                continue
            taken = list(way.values())
            out = next(
                (one for one in self._outs if one not in taken and one.track.kin == track.kin), None
            )
            if out is None:
                if len(self._outs) == MOST_TRACKS:
                    log.error("too_many_kinds_of_media", codec=track.codec, most=MOST_TRACKS)
                    continue
                out = _Out(len(self._outs) + 1, track)
                self._outs.append(out)
            out.privates.add(track.private)
            way[track.number] = out
        return way

    def _first(self, kind: int) -> _Out | None:
        return next((out for out in self._outs if out.track.type == kind), None)

    # Blocks

    def _copy(
        self, source: Source, head: Head, way: dict[int, _Out], writer: MatroskaWriter
    ) -> None:
        timeline = _Timeline(self._base)
        # Seeking may come here from anywhere: each keyframe says what it stands on.
        sets = {
            number: head.tracks[number].parameter_sets
            for number, out in way.items()
            if len(out.privates) > 1
        }
        broke_at: int | None = None
        damaged = 0
        with _opened(source) as elements:
            for one in blocks(elements):
                if isinstance(one, Damage):
                    broke_at = timeline.end if broke_at is None else broke_at
                    damaged += one.bytes
                    continue
                if isinstance(one, ClusterBegins):
                    writer.begin_cluster()
                    self._save(writer)
                    continue
                if (out := way.get(one.track)) is None:
                    continue
                at = timeline.place(one)
                if broke_at is not None:
                    self._lose(source, broke_at, at)
                    timeline.missing += max(0, at - broke_at)
                    broke_at = None
                own = sets.get(one.track) if one.is_key else None
                writer.write(out.number, at, one, own.into(one.data) if own else one.data)
            is_final = elements.are_all
        writer.begin_cluster()
        seconds = (timeline.end - self._base) / 1000
        if damaged:
            log.error("file_damaged", file=source.name, bytes=damaged)
        if seconds > 0:
            log.info("file_joined", file=source.name, at=self._base / 1000, seconds=seconds)
            self._note(way, head, seconds)
        self._base = timeline.end
        self._files.append(File(source.name, self._base / 1000, seconds, is_final))

    def _lose(self, source: Source, since: int, until: int) -> None:
        seconds = (until - since) / 1000
        if seconds > 0:
            log.error("media_gone", file=source.name, at=since / 1000, seconds=seconds)
            self._holes.append(Hole("lost by the store", seconds, since / 1000))

    def _save(self, writer: MatroskaWriter) -> None:
        if writer.written - self._saved_at >= SAVED_EVERY:
            self._saved_at = writer.written
            self._target.flush()
            self._saved()

    # What there is

    def _note(self, way: dict[int, _Out], head: Head, seconds: float) -> None:
        outs = sorted(way.items(), key=lambda one: (head.tracks[one[0]].type, one[1].number))
        size = max((head.tracks[number].size for number, _ in outs), default=(0, 0))
        self._stretches.append(
            Stretch(
                begins_at=self._base / 1000,
                seconds=seconds,
                tracks=tuple(out.number for _, out in outs),
                codecs=tuple(head.tracks[number].codec for number, _ in outs),
                width=size[0] or None,
                height=size[1] or None,
            )
        )

    def _told_stretches(self) -> tuple[Stretch, ...]:
        same = (replace(one, begins_at=0, seconds=0) for one in self._stretches)
        is_one = all(a == b for a, b in pairwise(same))
        return () if is_one else tuple(self._stretches)


class _Timeline:
    """Where the blocks of one file lie in the joined one, in milliseconds."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._first: int | None = None
        self._spans: dict[int, tuple[int, int, int]] = {}  # of a track: first, last, how many
        self.missing = 0  # milliseconds of holes

    def place(self, block: Block) -> int:
        """Return the time of a block; the first one comes right behind the file before."""
        if self._first is None:
            # Files begin at zero, but for what waits for pictures that are shown before it.
            self._first = block.at if block.at > LATEST_START else 0
        at = self._base + block.at - self._first
        first, last, count = self._spans.get(block.track, (at, at, 0))
        self._spans[block.track] = (min(first, at), max(last, at), count + 1)
        return at

    @property
    def end(self) -> int:
        """When the last block ends, as long as those before it on the average."""
        return max(
            (
                last + (round((last - first - self.missing) / (count - 1)) if count > 1 else 0)
                for first, last, count in self._spans.values()
            ),
            default=self._base,
        )


def _head(source: Source) -> Head | None:
    try:
        with _opened(source) as elements:
            head = head_of(elements)
    except Unreadable as error:
        log.warning("file_unreadable", file=source.name, reason=str(error))
        return None
    if head.scale != MILLISECOND:
        log.warning("file_unreadable", file=source.name, reason=f"ticks of {head.scale} ns")
        return None
    return head


@contextmanager
def _opened(source: Source) -> Iterator[Elements]:
    with source.open() as file:
        yield Elements(file, source.holes)
