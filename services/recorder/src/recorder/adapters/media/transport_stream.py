"""MPEG-TS (ISO/IEC 13818-1), as far as it tells which streams there are and when that changes.

Only tables are parsed, and the first frame of sound in what is given; everything else is passed
over by strides, so that a second of video costs less than a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from recorder.adapters.media.sound_frames import Sound, sound_of

PACKET = 188  # bytes
SYNC = b"\x47"
AT_BEGINNING = 8  # packets: tables that stand there are those of a segment

_PICTURES = {0x01: "mpeg1", 0x02: "mpeg2", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc"}
_SOUND = {0x03: "mp3", 0x04: "mp3", 0x0F: "aac", 0x11: "aac_latm", 0x81: "ac3", 0x87: "eac3"}
# Private data says what it is by descriptors: a tag, or a registration's four letters.
_PRIVATE, _REGISTRATION = 0x06, 0x05
_OF_TAG = {0x6A: "ac3", 0x7A: "eac3", 0x7B: "dts", 0x7C: "aac"}
_OF_NAME = {b"Opus": "opus", b"AC-3": "ac3", b"EAC3": "eac3", b"HEVC": "hevc", b"AV01": "av1"}

_WITHOUT_FLAGS = bytes(byte & 0x5F for byte in range(256))  # a PID's upper bits, and PUSI


@dataclass(frozen=True)
class Programme:
    """The first stream of pictures and the first of sound: codec and PID; None where is none."""

    pictures: tuple[str, int] | None = None
    sound: tuple[str, int] | None = None
    frames: Sound | None = None  # what its sound is like, as far as that was seen

    def differs(self, before: Programme, *, pictures: bool, sound: bool) -> bool:
        """Whether a demuxer that began with `before` cannot follow, in what is asked for."""
        if pictures and self.pictures != before.pictures:
            return True
        if not sound:
            return False
        is_like = None in (self.frames, before.frames) or self.frames == before.frames
        return self.sound != before.sound or not is_like


class _Packets:
    """Whole packets; those that one looks for are found without looking at the others."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        count = (len(data) - start) // PACKET
        end = start + count * PACKET
        self._pids = bytearray(2 * count)
        self._pids[0::2] = data[start + 1 : end : PACKET].translate(_WITHOUT_FLAGS)
        self._pids[1::2] = data[start + 2 : end : PACKET]

    def __getitem__(self, number: int) -> bytes:
        at = self._start + number * PACKET
        return self._data[at : at + PACKET]

    def beginning(self, pid: int) -> Iterator[int]:
        """Yield the numbers of the packets with which a unit of this PID begins."""
        wanted = bytes([0x40 | pid >> 8, pid & 0xFF])
        at = self._pids.find(wanted)
        while at >= 0:
            if at % 2 == 0:
                yield at // 2
            at = self._pids.find(wanted, at + 1)


class TransportStream:
    """Follows a stream; is given its bytes in pieces of any size."""

    def __init__(self) -> None:
        self._skip = 0  # bytes of the next piece that belong to a packet before
        self._map_pid: int | None = None
        self.programme = Programme()
        self.tables = b""  # the newest packets of both tables

    def changes(self, data: bytes) -> Iterator[tuple[int, Programme]]:
        """Yield where in the data the streams are others than before, and which they are then."""
        start = self._begin(data)
        if start is None:
            return
        packets = _Packets(data, start)
        for number in packets.beginning(0):
            self._learn_map(packets[number])
        for number, programme in self._other_programmes(packets):
            self.programme = programme
            yield start + number * PACKET, programme
        if (first := self._other_frames(packets)) is not None:
            yield start + first * PACKET, self.programme

    def _other_programmes(self, packets: _Packets) -> Iterator[tuple[int, Programme]]:
        if self._map_pid is None:
            return
        for number in packets.beginning(self._map_pid):
            programme = self._learn_programme(packets[number])
            if programme is not None and programme != replace(self.programme, frames=None):
                tables = [one for one in packets.beginning(0) if one < number]
                yield (tables[-1] if tables else number), programme

    def _other_frames(self, packets: _Packets) -> int | None:
        """Look at the first frame of sound; return the packet from which on it is of another kind.

        Nobody knows what lies between it and the one before: where the data begins with tables, as
        segments do, all of it belongs to this frame.
        """
        if self.programme.sound is None:
            return None
        for number in packets.beginning(self.programme.sound[1]):
            frames = sound_of(_payload_of_pes(packets[number]))
            if frames is None:
                continue
            if frames == self.programme.frames:
                return None
            self.programme = replace(self.programme, frames=frames)
            first = next(packets.beginning(0), AT_BEGINNING)
            return first if first < AT_BEGINNING else number
        return None

    def _begin(self, data: bytes) -> int | None:
        """Return where the first whole packet begins; None where this is no such stream."""
        start = self._skip
        if start >= len(data):
            self._skip -= len(data)
            return None
        if not is_aligned(data, start):
            start = next(
                (at for at in range(min(PACKET, len(data))) if is_aligned(data, at)), len(data)
            )
        self._skip = -(len(data) - start) % PACKET
        return start if len(data) - start >= PACKET else None

    def begin_anew(self) -> None:
        """What comes next begins with a packet."""
        self._skip = 0

    def _learn_map(self, packet: bytes) -> None:
        """Find the first programme's own table (2.4.4.3)."""
        section = _section(packet, table=0)
        for at in range(8, len(section) - 4, 4):
            if section[at : at + 2] != b"\0\0":
                self._map_pid = int.from_bytes(section[at + 2 : at + 4]) & 0x1FFF
                self.tables = packet + self.tables[PACKET:]
                return

    def _learn_programme(self, packet: bytes) -> Programme | None:
        """Return what a programme map says (2.4.4.8); None where it is none that is in force."""
        section = _section(packet, table=2)
        if len(section) < 16 or not section[5] & 1:
            return None
        self.tables = self.tables[:PACKET] + packet
        pictures: tuple[str, int] | None = None
        sound: tuple[str, int] | None = None
        at = 12 + (int.from_bytes(section[10:12]) & 0xFFF)
        while at + 5 <= len(section) - 4:
            kind, pid = section[at], int.from_bytes(section[at + 1 : at + 3]) & 0x1FFF
            length = int.from_bytes(section[at + 3 : at + 5]) & 0xFFF
            described = section[at + 5 : at + 5 + length]
            name = _described(described) if kind == _PRIVATE else None
            if pictures is None and (kind in _PICTURES or name in {"hevc", "av1"}):
                pictures = (name or _PICTURES[kind], pid)
            elif sound is None and (kind in _SOUND or (name and name not in {"hevc", "av1"})):
                sound = (name or _SOUND[kind], pid)
            at += 5 + length
        return Programme(pictures, sound)


def is_aligned(data: bytes, at: int = 0) -> bool:
    """Return whether packets begin here, as far as there is data to tell."""
    marks = data[at : at + 8 * PACKET : PACKET]
    return bool(marks) and marks == SYNC * len(marks)


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] :] if control & 2 else packet[4:]


def _section(packet: bytes, *, table: int) -> bytes:
    """Return a table's section, as far as it is in its first packet."""
    payload = _payload(packet)
    if not payload:
        return b""
    section = payload[1 + payload[0] :]
    if len(section) < 3 or section[0] != table:
        return b""
    return section[: 3 + (int.from_bytes(section[1:3]) & 0xFFF)]


def _payload_of_pes(packet: bytes) -> bytes:
    payload = _payload(packet)
    if payload[:3] != b"\0\0\1" or len(payload) < 9:
        return b""
    return payload[9 + payload[8] :]


def _described(descriptors: bytes) -> str | None:
    at = 0
    while at + 2 <= len(descriptors):
        tag, length = descriptors[at], descriptors[at + 1]
        if tag in _OF_TAG:
            return _OF_TAG[tag]
        if tag == _REGISTRATION and (name := _OF_NAME.get(descriptors[at + 2 : at + 6])):
            return name
        at += 2 + length
    return None
