"""What became of a source: the recording, held against the media that was offered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from services.recorder.tests.process import Job, ffmpeg, probed

Frame = tuple[float, str]  # seconds, hash


@dataclass(frozen=True)
class Recorded:
    """A job that is over."""

    job: Job
    code: int

    @property
    def path(self) -> Path:
        assert self.job.recording.exists(), self.log
        return self.job.recording

    @property
    def log(self) -> str:
        return self.job.log.read_text()

    def facts(self, kind: type):
        return [event.data for event in self.job.events() if isinstance(event.data, kind)]

    @property
    def shape(self) -> tuple[str | None, str | None]:
        """Codecs of picture and sound."""
        _, video, audio = probed(self.path)
        return video, audio

    @property
    def seconds(self) -> float:
        seconds: float | None = probed(self.path)[0]
        assert seconds is not None, "it was not finalised"
        return seconds

    def complaints(self) -> str:
        """What ffmpeg says while it plays the whole of it."""
        _, said = ffmpeg().run(["-v", "error", "-i", f"file:{self.path}", "-f", "null", "-"])
        return said


def frames(path: Path, track: str) -> list[Frame]:
    """Return when each decoded picture ("v") or packet of sound ("a") comes, and its hash.

    Pictures are decoded because containers write the same ones differently.
    """
    codec = ["-c", "copy"] if track == "a" else ["-fps_mode", "passthrough"]
    out, _ = ffmpeg().run(
        [
            *("-v", "error", "-i", f"file:{path}", "-map", f"0:{track}:0", *codec),
            *("-copyts", "-enc_time_base:v", "1:90000", "-f", "framehash", "-hash", "crc32", "-"),
        ]
    )
    base, found = 0.0, []
    for line in out.splitlines():
        if line.startswith("#tb 0:"):
            over, _, under = line.partition(":")[2].strip().partition("/")
            base = int(over) / int(under)
        elif not line.startswith("#"):
            _, _, pts, _, _, digest = (part.strip() for part in line.split(",")[:6])
            found.append((int(pts) * base, digest))
    return found


@dataclass(frozen=True)
class Comparison:
    """One track of a recording beside the original's."""

    numbers: list[int | None]  # which frame of the original each frame is; None: of none
    shifts: list[float]  # by how much each one is later than there

    @classmethod
    def of(cls, recording: Path, original: Path, track: str) -> Comparison:
        offered = enumerate(frames(original, track))
        there = {digest: (number, at) for number, (at, digest) in offered}
        numbers, shifts = [], []
        for at, digest in frames(recording, track):
            number, before = there.get(digest, (None, 0.0))
            numbers.append(number)
            if number is not None:
                shifts.append(at - before)
        return cls(numbers, shifts)

    def without_last(self, count: int) -> Comparison:
        """Leave out the last frames."""
        return Comparison(self.numbers[: len(self.numbers) - count], self.shifts)

    @property
    def is_gapless(self) -> bool:
        """Whether it is one piece of the original, each frame of it once and in order."""
        first = self.numbers[0]
        return first is not None and self.numbers == list(range(first, first + len(self.numbers)))

    @property
    def shift(self) -> float:
        return median(self.shifts)


def compare(recording: Path, original: Path) -> tuple[Comparison, Comparison]:
    """Compare picture and sound."""
    return Comparison.of(recording, original, "v"), Comparison.of(recording, original, "a")
