"""Parameter sets of H.264 and HEVC: from a track's head into its pictures.

A Matroska track has one head. Where a source goes on with other parameters, each picture that one
may begin with brings its own (ISO/IEC 14496-15 calls that avc3 and hev1), as in MPEG-TS.
"""

from __future__ import annotations

AVC, HEVC = "V_MPEG4/ISO/AVC", "V_MPEGH/ISO/HEVC"


class ParameterSets:
    """What the private data of one track holds; raises `ValueError` where that is no such data."""

    def __init__(self, codec: str, private: bytes) -> None:
        self._is_hevc = codec == HEVC
        try:
            if private[0] != 1:
                raise ValueError(f"{codec}: private data of version {private[0]}")
            self.length_size = (private[21 if self._is_hevc else 4] & 3) + 1
            sets = _of_hevc(private) if self._is_hevc else _of_avc(private)
        except IndexError:
            raise ValueError(f"{codec}: private data ends early") from None
        self._prefix = b"".join(len(one).to_bytes(self.length_size) + one for one in sets)

    def into(self, picture: bytes) -> bytes:
        """Return a picture with the parameter sets before its slices, if it has none itself."""
        at = 0
        while at + self.length_size < len(picture):
            size = int.from_bytes(picture[at : at + self.length_size])
            kind = picture[at + self.length_size]
            kind = (kind >> 1) & 0x3F if self._is_hevc else kind & 0x1F
            if self._is_set(kind):
                return picture
            if not self._is_delimiter(kind):
                break
            at += self.length_size + size
        return picture[:at] + self._prefix + picture[at:]

    def _is_set(self, kind: int) -> bool:
        return kind in {32, 33, 34} if self._is_hevc else kind in {7, 8}

    def _is_delimiter(self, kind: int) -> bool:
        # The access unit delimiter stands before everything else.
        return kind == (35 if self._is_hevc else 9)


def _of_avc(private: bytes) -> list[bytes]:
    sets, at = [], 5
    for mask in (0x1F, 0xFF):
        count, at = private[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(private[at : at + 2])
            sets.append(private[at + 2 : at + 2 + size])
            at += 2 + size
    return sets


def _of_hevc(private: bytes) -> list[bytes]:
    sets, at = [], 23
    for _ in range(private[22]):
        count, at = int.from_bytes(private[at + 1 : at + 3]), at + 3
        for _ in range(count):
            size = int.from_bytes(private[at : at + 2])
            sets.append(private[at + 2 : at + 2 + size])
            at += 2 + size
    return sets
