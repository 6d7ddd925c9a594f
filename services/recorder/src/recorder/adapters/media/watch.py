"""Watching what media is made of: where it changes so that one file cannot go on with it.

What a demuxer follows by itself is no change: other parameters of H.264 and HEVC travel with the
pictures. Another codec does not, nor other streams of a transport stream, nor other sound, of
which a file's head tells rate and channels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from recorder.adapters.media.container import container
from recorder.adapters.media.sound_frames import Sound, is_sound, sound_of
from recorder.adapters.media.transport_stream import (
    AT_BEGINNING,
    PACKET,
    Programme,
    TransportStream,
    is_aligned,
)

log = structlog.get_logger(__name__)

# A source that changes without end gets a new file this often at most, after a few at once.
AT_ONCE = 10
SECONDS_EACH = 1.0
_BEGINS_TABLES = frozenset({b"\x40\x00", b"\x60\x00"})  # a first packet of PID 0
_LEAST = 4 * PACKET  # bytes by which a transport stream is told from anything else


@dataclass(frozen=True)
class Part:
    """Media that belongs together; `begins`: a new file must begin with it."""

    data: bytes
    begins: bool = False
    container: str | None = None


class MediaWatch:
    """Watches one track, of which pictures or sound or both are recorded."""

    def __init__(
        self, *, pictures: bool, sound: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pictures = pictures
        self._sound = sound
        self._clock = clock
        self._container: str | None = None
        self._stream = TransportStream()
        self._recorded: Programme | Sound | None = None
        self._left = float(AT_ONCE)
        self._counted_at = clock()

    def begin_section(self, head: bytes) -> None:
        """What follows stands on this head (fMP4)."""
        if head:
            self._container = container(head[:16])
            self._recorded = None

    def begin_anew(self) -> None:
        """What follows is of a new connection."""
        self._stream.begin_anew()

    def parts(self, data: bytes) -> Iterator[Part]:
        """Yield the data, divided where it changes."""
        found = _container(data)
        is_other = found is not None and self._container not in {None, found}
        if self._container is None:
            self._container = found or container(data[:16])
        if is_other and self._may_change():
            self._tell(self._container, found)
            self._container, self._recorded = found, None
            self._stream = TransportStream()
            first, *rest = self._divided(data)
            yield Part(first.data, begins=True, container=found)
            yield from rest
        else:
            yield from self._divided(data)

    def _divided(self, data: bytes) -> Iterator[Part]:
        if self._container == "mpegts":
            yield from self._divided_stream(data)
            return
        if self._container in {"aac", "mp3"} and is_sound(data):
            frames = sound_of(data)
            before, self._recorded = self._recorded, frames
            if before not in {None, frames} and self._may_change():
                self._tell(before, frames)
                yield Part(data, begins=True, container=self._container)
                return
        yield Part(data)

    def _divided_stream(self, data: bytes) -> Iterator[Part]:
        done = 0
        is_begun = False
        lead = b""  # without its tables a stream cannot be read
        for place, programme in self._stream.changes(data):
            before = self._recorded
            if not isinstance(before, Programme):
                self._recorded = programme
                continue
            if not programme.differs(before, pictures=self._pictures, sound=self._sound):
                # What was not known of it before is known now.
                self._recorded = programme if before.sound == programme.sound else before
                continue
            if not self._may_change():
                continue
            self._tell(before, programme)
            self._recorded = programme
            has_tables = data[place + 1 : place + 3] in _BEGINS_TABLES
            # What stands before a segment's tables belongs to it.
            at = 0 if place < AT_BEGINNING * PACKET and is_aligned(data) else place
            if at > done:
                yield Part(lead + data[done:at], begins=is_begun, container="mpegts")
            if at > done or not is_begun:
                done, is_begun = at, True
                lead = b"" if has_tables else self._stream.tables
        yield Part(lead + data[done:], begins=is_begun, container="mpegts")

    def _may_change(self) -> bool:
        now = self._clock()
        self._left = min(AT_ONCE, self._left + (now - self._counted_at) / SECONDS_EACH)
        self._counted_at = now
        if self._left < 1:
            log.warning("media_changes_too_often")
            return False
        self._left -= 1
        return True

    @staticmethod
    def _tell(before: object, after: object) -> None:
        log.warning("media_changed", before=str(before), after=str(after))


def _container(data: bytes) -> str | None:
    """Return what this is beyond doubt; None where that cannot be told."""
    if len(data) >= _LEAST and is_aligned(data):
        return "mpegts"
    if is_sound(data):
        return container(data[:16])
    return None
