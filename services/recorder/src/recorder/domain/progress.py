"""How far a run is, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from chronicle_contracts.recorder import MediaInfo


@dataclass(frozen=True)
class Progress:
    """Numbers of the recording over all its attempts, but for those named otherwise.

    `wall_seconds` is the time since this run began, in seconds of a clock that never jumps.
    """

    wall_seconds: float = 0.0
    media_seconds: float = 0.0
    bytes_recorded: int = 0
    bytes_durable: int = 0
    free_disk: int | None = None
    restarts: int = 0
    media: MediaInfo = field(default_factory=MediaInfo)

    @property
    def bitrate(self) -> float | None:
        """Bits per second of media; None as long as there is too little to tell."""
        if self.media_seconds < 1:
            return None
        return round(self.bytes_recorded * 8 / self.media_seconds, 1)
