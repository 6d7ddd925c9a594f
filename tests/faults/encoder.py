"""The encoder: one more segment in a rolling playlist every `pace` seconds, by a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tests.faults.source import Life

EPOCH = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Pacing:
    """How the live stream runs: seconds between segments, segments in the playlist."""

    pace: float
    window: int
    ready: int = 3  # segments that are there when it begins

    @property
    def kept_for(self) -> float:
        """Seconds for which a segment stays in the playlist."""
        return self.pace * self.window


@dataclass
class Entry:
    """One published segment; times are of the monotonic clock."""

    life: Life
    index: int  # in its life
    number: int  # media sequence number
    path: str
    tags: tuple[str, ...]
    at: float
    gone: float | None = None  # when it left the playlist

    @property
    def data(self) -> bytes:
        """Its media."""
        return self.life.segments[self.index]


class Encoder:
    """Publishes segments until it is stopped; faults turn the knobs."""

    def __init__(self, lives: Mapping[str, Life], pacing: Pacing) -> None:
        self.lives = lives
        self.pacing = pacing
        self.published: list[Entry] = []
        self.date_shift = timedelta()
        self.key: str | None = None  # name of the AES-128 key of what comes next
        self._life = lives["first"]
        self._index = 0
        self._number = 0
        self._folder = "first"
        self._next_tags: tuple[str, ...] = ()
        self._listed: list[Entry] = []
        self._is_paused = False
        self._has_ended = False
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)

    @property
    def next_number(self) -> int:
        """The media sequence number of the segment that comes next."""
        return self._number

    def start(self) -> None:
        """Begin; the first segments are there when this returns."""
        for _ in range(self.pacing.ready):
            self._publish()
        self._thread.start()

    def end(self) -> None:
        """The regular end: no more segments, and the end mark."""
        with self._lock:
            self._is_paused = self._has_ended = True

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    # The knobs

    def pause(self) -> None:
        """Publish nothing more, say nothing."""
        self._is_paused = True

    def forget(self) -> None:
        """Take the playlist away."""
        with self._lock:
            self._drop(len(self._listed))

    def begin_life(
        self, name: str, *, count_anew: bool, discontinuity: bool, folder: str | None = None
    ) -> None:
        """Go on with the media of another encoder; `folder` names its segments' addresses."""
        with self._lock:
            self._life, self._index = self.lives[name], 0
            self._folder = folder or name
            self._number = 0 if count_anew else self._number
            self._next_tags = ("#EXT-X-DISCONTINUITY",) if discontinuity else ()
            self._is_paused = False
            self._publish()

    # What it says

    def playlist(self) -> str | None:
        """Return the playlist; None while there is none."""
        with self._lock:
            if not self._listed:
                return None
            length = self._life.segment
            lines = [
                *("#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{length:.0f}"),
                f"#EXT-X-MEDIA-SEQUENCE:{self._listed[0].number}",
            ]
            for entry in self._listed:
                lines += [*entry.tags, f"#EXTINF:{entry.life.segment:.3f},", entry.path[1:]]
            return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if self._has_ended else []), ""])

    def entry(self, path: str) -> Entry | None:
        """Return the newest segment that was published at an address."""
        found = [entry for entry in self.published if entry.path == path]
        return replace(found[-1]) if found else None

    def _run(self) -> None:
        due = time.monotonic() + self.pacing.pace
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self.pacing.pace
            with self._lock:
                if not self._is_paused:
                    self._publish()

    def _publish(self) -> None:
        if self._index == len(self._life.segments):
            raise AssertionError(f"the source is too short: {self._life.name} is over")
        date = EPOCH + self.date_shift + timedelta(seconds=len(self.published) * self._life.segment)
        tags = (*self._next_tags, f"#EXT-X-PROGRAM-DATE-TIME:{date.isoformat()}")
        if self.key is not None:
            tags += (f'#EXT-X-KEY:METHOD=AES-128,URI="/keys/{self.key}"',)
        path = f"/{self._folder}/{self._index}.ts"
        entry = Entry(self._life, self._index, self._number, path, tags, time.monotonic())
        self.published.append(entry)
        self._listed.append(entry)
        self._next_tags = ()
        self._index += 1
        self._number += 1
        self._drop(len(self._listed) - self.pacing.window)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._listed.pop(0).gone = time.monotonic()
