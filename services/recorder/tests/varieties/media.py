"""Media in the containers that live sources use, all of it copied from one encoding.

So a recording can be compared with what was offered, frame by frame, whatever way it took.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from services.recorder.tests.process import ffmpeg

SECONDS = 16
ON_AIR = 1000  # seconds for which a source runs already: its clock never begins at zero
MUX_DELAY = 1.4  # seconds by which ffmpeg's MPEG-TS is later than its input
H264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-sc_threshold", "0")


_MAKING = threading.Lock()


@dataclass(frozen=True)
class Media:
    """An encoding with a keyframe every second, and copies of it in segments of one second."""

    path: Path

    @classmethod
    def encode(cls, path: Path, *, size: str = "160x90", seed: int = 1) -> Media:
        """Make one of which no two frames are the same."""
        ffmpeg().run(
            [
                *("-loglevel", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25"),
                *("-f", "lavfi", "-i", f"anoisesrc=seed={seed}:sample_rate=48000:amplitude=0.2"),
                *("-t", str(SECONDS), *H264, "-pix_fmt", "yuv420p", "-b:v", "150k"),
                *("-c:a", "aac", "-b:a", "48k", str(path)),
            ]
        )
        return cls(path)

    def as_(self, *arguments: str, name: str) -> Path:
        """Copy it with ffmpeg's arguments into a folder of its own; return the made file."""
        folder = self.path.parent / f"{self.path.stem}-{name.replace('.', '-')}"
        made = folder / name
        with _MAKING:
            if not folder.exists():
                folder.mkdir()
                ffmpeg().run(["-loglevel", "error", "-i", str(self.path), *arguments, str(made)])
        return made

    def segments(self, kind: str, *arguments: str, on_air: float = ON_AIR) -> list[bytes]:
        """Return its HLS segments, "ts" or "m4s"; the latter begin with their init section."""
        container = {"ts": "mpegts", "m4s": "fmp4"}[kind]
        code = "".join(arguments).replace(":", "").replace("-", "")
        made = self.as_(
            *("-c", "copy", *arguments, "-output_ts_offset", str(on_air)),
            *("-f", "hls", "-hls_time", "1", "-hls_list_size", "0"),
            *("-hls_segment_type", container, "-hls_segment_filename"),
            str(self.path.parent / f"{self.path.stem}-{kind}{code}{on_air}-m3u8/%03d.{kind}"),
            name=f"{kind}{code}{on_air}.m3u8",
        )
        init = [(made.parent / "init.mp4").read_bytes()] if kind == "m4s" else []
        return init + [path.read_bytes() for path in sorted(made.parent.glob(f"*.{kind}"))]

    def packed_audio(self) -> list[bytes]:
        """Return its sound as HLS packed audio: ADTS behind an ID3 tag that tells the time.

        RFC 8216, 3.4: a PRIV frame with an MPEG-2 timestamp of 33 bits.
        """
        whole = self.as_("-vn", "-c", "copy", "-f", "adts", name="whole.aac").read_bytes()
        made, frames, at = [], list(_adts_frames(whole)), 0
        while at < len(frames):
            clock = round((ON_AIR + MUX_DELAY + at * 1024 / 48000) * 90000)
            made.append(_timestamp_tag(clock) + b"".join(frames[at : at + 47]))
            at += 47
        return made


def _adts_frames(data: bytes):
    at = 0
    while at < len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield data[at : at + length]
        at += length


def _timestamp_tag(clock: int) -> bytes:
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    frame = owner + (clock % 2**33).to_bytes(8, "big")
    # ID3v2.4: sizes are written in bytes of seven bits.
    size, body = len(frame), b"PRIV" + bytes([0, 0, 0, len(frame), 0, 0]) + frame
    assert size < 128
    return b"ID3\x04\x00\x00" + bytes([0, 0, 0, len(body)]) + body
