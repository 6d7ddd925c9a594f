"""A Matroska file written in one pass; only its first kilobytes are patched at the end."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from recorder.adapters.media import matroska as mkv
from recorder.adapters.media.ebml import (
    CLUSTER,
    EBML_HEAD,
    SEGMENT,
    element,
    name_of,
    sized,
    unsigned,
)

SEEK_HEAD, SEEK, SEEK_ID, SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
CUES, CUE_POINT, CUE_TIME, CUE_POSITIONS = 0x1C53BB6B, 0xBB, 0xB3, 0xB7
CUE_TRACK, CUE_CLUSTER, CUE_RELATIVE = 0xF7, 0xF1, 0xF0
MUXING_APP, WRITING_APP = 0x4D80, 0x5741

MOST_OF_CLUSTER = 5 * 1024 * 1024  # bytes
_OWN = frozenset(
    {mkv.TRACK_NUMBER, mkv.TRACK_UID, mkv.FLAG_DEFAULT, mkv.TRACK_NAME, mkv.CODEC_PRIVATE}
    | {0xEC, 0xBF}  # padding, a checksum
)
LONGEST_CLUSTER = 8000  # milliseconds; 32767 could be told


@dataclass(frozen=True)
class Entry:
    """A track as it stands in the head."""

    number: int
    track: mkv.Track
    is_default: bool
    name: str = ""

    def content(self) -> bytes:
        """Return the bytes of its entry."""
        kept = b"".join(
            element(name, what) for name, what in self.track.elements if name not in _OWN
        )
        private = self.track.private
        return element(
            mkv.TRACK_ENTRY,
            unsigned(mkv.TRACK_NUMBER, self.number)
            + unsigned(mkv.TRACK_UID, self.number)
            + unsigned(mkv.FLAG_DEFAULT, int(self.is_default))
            + (element(mkv.TRACK_NAME, self.name.encode()) if self.name else b"")
            + kept
            + (element(mkv.CODEC_PRIVATE, private) if private else b""),
        )


class MatroskaWriter:
    """Takes blocks in the order of the file; `finish` makes it whole."""

    def __init__(self, file: BinaryIO, tracks: Sequence[Entry]) -> None:
        self._file = file
        self._cues: list[tuple[int, int, int, int]] = []
        self._cluster: list[bytes] = []
        self._cluster_at = 0
        self._cluster_size = 0
        self._cued: list[tuple[int, int, int]] = []  # of this cluster: time, track, place in it
        self._written = 0
        self._write(_head())
        self._write(sized(SEGMENT, None))
        self._segment = self._written
        self._tracks = b"".join(entry.content() for entry in tracks)
        self._has_pictures = any(entry.track.type == mkv.PICTURES for entry in tracks)
        self._pictures = {one.number for one in tracks if one.track.type == mkv.PICTURES}
        self._front = b""
        self._front = self._made_front(0, 0)
        self._write(self._front)

    @property
    def written(self) -> int:
        """Bytes so far."""
        return self._written

    def begin_cluster(self) -> None:
        """What follows stands in a new cluster."""
        if not self._cluster:
            return
        at = unsigned(mkv.TIMESTAMP, self._cluster_at, 8)
        size = len(at) + self._cluster_size
        place = self._written - self._segment
        self._cues += [
            (time, track, place, len(at) + relative) for time, track, relative in self._cued
        ]
        self._write(sized(CLUSTER, size) + at + b"".join(self._cluster))
        self._cluster, self._cued, self._cluster_size = [], [], 0

    def write(self, track: int, at: int, block: mkv.Block, data: bytes) -> None:
        """Write a block at a time in milliseconds; `data` takes the place of its own."""
        if self._cluster and not (
            -LONGEST_CLUSTER < at - self._cluster_at <= LONGEST_CLUSTER
            and self._cluster_size < MOST_OF_CLUSTER
        ):
            self.begin_cluster()
        if not self._cluster:
            self._cluster_at = max(0, at)
        relative = max(-32768, at - self._cluster_at).to_bytes(2, signed=True)
        flags = block.flags if block.group is None else block.flags & ~mkv.KEYFRAME
        content = bytes([0x80 | track]) + relative + bytes([flags]) + data
        if block.group is None:
            made = element(mkv.SIMPLE_BLOCK, content)
        else:
            others = b"".join(element(name, what) for name, what in block.group)
            made = element(mkv.BLOCK_GROUP, element(mkv.BLOCK, content) + others)
        if block.is_key and (track in self._pictures or self._is_first_sound()):
            self._cued.append((max(0, at), track, self._cluster_size))
        self._cluster.append(made)
        self._cluster_size += len(made)

    def finish(self, seconds: float) -> None:
        """Write the index, then the head as it has to be."""
        self.begin_cluster()
        cues_at = self._written - self._segment
        if self._cues:
            self._write(element(CUES, b"".join(map(_cue, sorted(self._cues)))))
        end = self._written
        self._file.seek(self._segment - 12)
        self._file.write(sized(SEGMENT, end - self._segment))
        self._file.write(self._made_front(seconds, cues_at if self._cues else 0))
        self._file.seek(end)
        self._file.flush()

    def _is_first_sound(self) -> bool:
        return not self._has_pictures and not self._cued

    def _made_front(self, seconds: float, cues_at: int) -> bytes:
        """Return what stands between the segment's head and the clusters; of one size always."""
        info = element(
            mkv.INFO,
            unsigned(mkv.TIMESTAMP_SCALE, mkv.MILLISECOND)
            + element(MUXING_APP, b"chronicle")
            + element(WRITING_APP, b"chronicle")
            + element(mkv.DURATION, struct.pack(">d", seconds * 1000)),
        )
        tracks = element(mkv.TRACKS, self._tracks)
        size = len(_seek_head(0, 0, 0))
        return _seek_head(size, size + len(info), cues_at) + info + tracks

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._written += len(data)


def _head() -> bytes:
    return element(
        EBML_HEAD,
        unsigned(0x4286, 1)  # EBML's version, and what a reader must know of
        + unsigned(0x42F7, 1)
        + unsigned(0x42F2, 4)  # bytes of an id, of a size
        + unsigned(0x42F3, 8)
        + element(0x4282, b"matroska")
        + unsigned(0x4287, 4)
        + unsigned(0x4285, 2),
    )


def _seek_head(info_at: int, tracks_at: int, cues_at: int) -> bytes:
    places = [(mkv.INFO, info_at), (mkv.TRACKS, tracks_at), (CUES, cues_at)]
    return element(
        SEEK_HEAD,
        b"".join(
            element(SEEK, element(SEEK_ID, name_of(name)) + unsigned(SEEK_POSITION, at, 8))
            for name, at in places
        ),
    )


def _cue(cue: tuple[int, int, int, int]) -> bytes:
    time, track, cluster, relative = cue
    return element(
        CUE_POINT,
        unsigned(CUE_TIME, time)
        + element(
            CUE_POSITIONS,
            unsigned(CUE_TRACK, track)
            + unsigned(CUE_CLUSTER, cluster)
            + unsigned(CUE_RELATIVE, relative),
        ),
    )
