"""One run's media against wall clock: what must be missing if the two do not agree.

All times are seconds of a clock that never jumps. The rule is

    wall = media + gaps + silences in which nothing could be had

from the first media to the last; what is left over is media that nobody has accounted for.
"""

from __future__ import annotations

LEAST_MOVE = 0.05  # seconds of media
# Bursts, buffers and the encoder's own clock explain so many seconds, and so much of a long one.
TOLERANCE, TOLERATED_SHARE = 5.0, 0.005
# Any recorder needs so long to find a stream: what it missed before is no fault of it.
START_GRACE = 10.0


class Timeline:
    """Fed with every look at a capture."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._excused = 0.0
        self._lead = 0.0

    def see(self, now: float, media_seconds: float) -> None:
        """Note where media time stands."""
        if self._first is None:
            if media_seconds <= 0:
                return
            self._first = self._last = (now, media_seconds)
        elif media_seconds > self._last[1] + LEAST_MOVE:
            self._last = (now, media_seconds)
        self._lead = max(self._lead, media_seconds - (now - self._first[0]))

    def excuse(self, seconds: float) -> None:
        """Note a silence in which the source had nothing to give."""
        self._excused += max(0.0, seconds)

    @property
    def wall_seconds(self) -> float:
        """Seconds from the first media to the last."""
        return self._last[0] - self._first[0] if self._first else 0.0

    @property
    def first_at(self) -> float | None:
        """When the first media was seen."""
        return self._first[0] if self._first else None

    @property
    def lead(self) -> float:
        """Seconds of media that a source gave in one go because they were older."""
        return self._lead

    def late_start(self, live_since: float) -> float:
        """Return the seconds of a stream that was live before which were missed at the start.

        What a source gives in one go at the start (three segments back from the live edge, a
        server's buffer) is older than the moment at which it came: that much is no loss.
        """
        if self._first is None:
            return 0.0
        return max(0.0, self._first[0] - live_since - START_GRACE - self._lead)

    def unaccounted(self, missing_seconds: float, patience: float) -> float:
        """Return the seconds that are neither media nor gap nor excused; 0 within tolerance.

        `patience` is how bursty the source is: seconds without media that are normal.
        """
        if self._first is None:
            return 0.0
        media = self._last[1] - self._first[1]
        rest = self.wall_seconds - media - missing_seconds - self._excused
        tolerated = TOLERANCE + patience + TOLERATED_SHARE * self.wall_seconds
        return rest if rest > tolerated else 0.0
