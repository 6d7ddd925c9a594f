"""Matroska (RFC 9559), as far as files that a remuxer wrote have to be understood."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from recorder.adapters.media.ebml import (
    CLUSTER,
    Damage,
    Element,
    Elements,
    Unreadable,
    children,
    uint,
)
from recorder.adapters.media.parameter_sets import AVC, HEVC, ParameterSets

INFO, TIMESTAMP_SCALE, DURATION = 0x1549A966, 0x2AD7B1, 0x4489
TRACKS, TRACK_ENTRY, TRACK_NUMBER, TRACK_UID = 0x1654AE6B, 0xAE, 0xD7, 0x73C5
TRACK_TYPE, CODEC_ID, CODEC_PRIVATE, TRACK_NAME = 0x83, 0x86, 0x63A2, 0x536E
FLAG_DEFAULT, DEFAULT_DURATION, CONTENT_ENCODINGS = 0x88, 0x23E383, 0x6D80
AUDIO, SAMPLING_FREQUENCY, CHANNELS = 0xE1, 0xB5, 0x9F
VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = 0xE0, 0xB0, 0xBA
TIMESTAMP, SIMPLE_BLOCK = 0xE7, 0xA3
BLOCK_GROUP, BLOCK, REFERENCE_BLOCK = 0xA0, 0xA1, 0xFB

PICTURES, SOUND = 1, 2  # values of TRACK_TYPE
MILLISECOND = 1_000_000  # nanoseconds: what ffmpeg counts in
KEYFRAME = 0x80  # in the flags of a simple block

_IN_BAND = frozenset({"V_VP8", "V_VP9"})  # each keyframe says all there is to know
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


@dataclass(frozen=True)
class Track:
    """A track's entry; `elements` are its children as they are."""

    number: int
    type: int
    codec: str
    private: bytes
    elements: tuple[tuple[int, bytes], ...]
    size: tuple[int, int] = (0, 0)
    sound: tuple[float, int] = (0.0, 0)  # samples a second, channels
    frame_seconds: float | None = None

    @property
    def parameter_sets(self) -> ParameterSets | None:
        """What its pictures can bring along; None where they cannot."""
        if self.codec not in {AVC, HEVC}:
            return None
        try:
            return ParameterSets(self.codec, self.private)
        except ValueError:
            return None

    @property
    def kin(self) -> tuple[object, ...]:
        """Tracks of which this is the same can be one after the other in one track."""
        encodings = tuple(content for name, content in self.elements if name == CONTENT_ENCODINGS)
        same = (self.type, self.codec, encodings)
        if (sets := self.parameter_sets) is not None and not encodings:
            return (*same, sets.length_size)
        if self.codec in _IN_BAND:
            return same
        return (*same, self.private, self.size, self.sound)


@dataclass
class Head:
    """What stands before the clusters."""

    tracks: Mapping[int, Track] = field(default_factory=dict)
    scale: int = MILLISECOND


@dataclass(frozen=True)
class Block:
    """A picture or a stretch of sound at `at` (ticks), of a track.

    `group` holds what else a block group has; None for a simple block.
    """

    track: int
    at: int
    flags: int
    data: bytes
    is_key: bool
    group: tuple[tuple[int, bytes], ...] | None = None


@dataclass(frozen=True)
class ClusterBegins:
    """What follows is of another cluster."""


def head_of(elements: Elements) -> Head:
    """Read up to the first cluster; raises `Unreadable` where there are no tracks before it."""
    head = Head()
    for one in elements:
        if isinstance(one, Damage) or one.id == CLUSTER:
            break
        if one.id == INFO:
            scale = dict(children(one.content)).get(TIMESTAMP_SCALE)
            head.scale = MILLISECOND if scale is None else uint(scale)
        if one.id == TRACKS:
            tracks = [
                _track(content) for name, content in children(one.content) if name == TRACK_ENTRY
            ]
            head.tracks = {track.number: track for track in tracks}
            return head
    raise Unreadable("no tracks are named before the first cluster")


def blocks(elements: Elements) -> Iterator[Block | ClusterBegins | Damage]:
    """Yield what the clusters hold."""
    now: int | None = None
    for one in elements:
        if isinstance(one, Damage):
            now = None
            yield one
        elif one.id == CLUSTER:
            now = None
            yield ClusterBegins()
        elif one.id == TIMESTAMP:
            now = uint(one.content)
        elif now is not None and (block := _block(one, now)) is not None:
            yield block


def _block(one: Element, now: int) -> Block | None:
    if one.id == SIMPLE_BLOCK:
        track, at, flags, data = _parts(one.content, now)
        return Block(track, at, flags, data, bool(flags & KEYFRAME))
    if one.id != BLOCK_GROUP:
        return None
    members = tuple(children(one.content))
    content = next((content for name, content in members if name == BLOCK), None)
    if content is None:
        return None
    track, at, flags, data = _parts(content, now)
    others = tuple((name, content) for name, content in members if name != BLOCK)
    is_key = all(name != REFERENCE_BLOCK for name, _ in others)
    return Block(track, at, flags, data, is_key, others)


def _parts(content: bytes, now: int) -> tuple[int, int, int, bytes]:
    length = 9 - content[0].bit_length()
    track = int.from_bytes(content[:length]) - (1 << 7 * length)
    at = now + int.from_bytes(content[length : length + 2], signed=True)
    return track, at, content[length + 2], content[length + 3 :]


def _track(content: bytes) -> Track:
    elements = tuple(children(content))
    found = dict(elements)
    audio = dict(children(found.get(AUDIO, b"")))
    video = dict(children(found.get(VIDEO, b"")))
    sound = (_number(audio.get(SAMPLING_FREQUENCY)), uint(audio.get(CHANNELS, b"\1")))
    codec = found.get(CODEC_ID, b"").decode(errors="replace").rstrip("\0")
    type_ = uint(found.get(TRACK_TYPE, b""))
    private = found.get(CODEC_PRIVATE, b"")
    if codec == "A_AAC" and not private:
        private = _aac(*sound)
    duration = found.get(DEFAULT_DURATION)
    return Track(
        number=uint(found.get(TRACK_NUMBER, b"")),
        type=type_,
        codec=codec,
        private=private,
        elements=elements,
        size=(uint(video.get(PIXEL_WIDTH, b"")), uint(video.get(PIXEL_HEIGHT, b""))),
        sound=sound if type_ == SOUND else (0.0, 0),
        frame_seconds=None if duration is None else uint(duration) / 1e9,
    )


def _aac(rate: float, channels: int) -> bytes:
    """Return what an unfinalised file lacks (ISO/IEC 14496-3, 1.6.2.1; low complexity)."""
    if round(rate) not in _AAC_RATES or not 0 < channels < 7:
        return b""
    return (2 << 11 | _AAC_RATES.index(round(rate)) << 7 | channels << 3).to_bytes(2)


def _number(content: bytes | None) -> float:
    if not content:
        return 8000.0 if content is None else 0.0
    return float(struct.unpack(">f" if len(content) == 4 else ">d", content)[0])
