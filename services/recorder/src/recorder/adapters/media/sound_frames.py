"""What frames of sound say of themselves: ADTS (ISO/IEC 14496-3, 1.A.2.2), MP3 (11172-3)."""

from __future__ import annotations

from dataclasses import dataclass

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class Sound:
    """Codec, samples a second, channels (0: told elsewhere)."""

    codec: str
    rate: int
    channels: int


def sound_of(data: bytes) -> Sound | None:
    """Return what the frame at the beginning says; None where there is none."""
    found = _frame(data)
    return None if found is None else found[0]


def is_sound(data: bytes) -> bool:
    """Return whether two frames of one kind follow on each other here: chance does not do that."""
    found = _frame(data)
    return found is not None and sound_of(data[found[1] :]) == found[0]


def _frame(data: bytes) -> tuple[Sound, int] | None:
    """Return what a frame says, and its length in bytes."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    return _adts(data) if data[1] & 0xF6 == 0xF0 else _mp3(data)


def _adts(data: bytes) -> tuple[Sound, int] | None:
    index = data[2] >> 2 & 0xF
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    if index >= len(_AAC_RATES) or length < 7:
        return None
    profile = ("main", "lc", "ssr", "ltp")[data[2] >> 6]
    channels = (data[2] & 1) << 2 | data[3] >> 6
    return Sound(f"aac-{profile}", _AAC_RATES[index], channels), length


def _mp3(data: bytes) -> tuple[Sound, int] | None:
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    kbits, rate, padding = data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version == 1 or layer != 1 or not 0 < kbits < 15 or rate == 3:
        return None
    hertz = _MP3_RATES[version][rate]
    per_frame = 144 if version == 3 else 72
    length = per_frame * 1000 * _MP3_KBITS[3 if version == 3 else 2][kbits] // hertz + padding
    return Sound("mp3", hertz, 1 if data[3] >> 6 == 3 else 2), length
