"""The feed: what fetchers give goes to a remuxer, and to the next one when that dies.

A remuxer begins with the first bytes, because they tell its container; with several tracks it
begins when each has some. A new file is begun when a remuxer died, and when what comes cannot
follow on what came before: headers of a new connection, another initialization section, another
codec (`media.watch`), or another clock where the container (or a second track) does not stand that.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

import structlog
from chronicle_contracts.recorder import MediaInfo

from recorder.adapters.feeding.remuxer import Remuxer
from recorder.adapters.fetching.fetcher import SinkClosed
from recorder.adapters.media.container import CONCATENABLE, OF_ANY_CLOCK, container, is_page
from recorder.adapters.media.section import Input, Section
from recorder.adapters.media.watch import MediaWatch, Part

log = structlog.get_logger(__name__)

ONLY_ONE = "Of sound and picture only one comes."
MOST_USELESS = 3  # remuxers in a row that died without a second of media
LONGEST_HEAD = 16 * 1024 * 1024  # bytes of one track that wait for the other before it is held up
GIVEN_WITHIN = 5.0  # seconds in which a remuxer that runs has taken what waited for it
LONGEST_MEETING = 15.0  # seconds in which a track waits for the other's clock to change too
OFTEN = 0.1  # seconds between two looks at whether anybody still takes what waits


class Feed:
    """The tracks of one source into files, one after the other, each by its own remuxer."""

    def __init__(self, tracks: int, begin: Callable[[Sequence[Input]], Remuxer]) -> None:
        self._begin = begin
        self._lock = threading.RLock()
        self._heads = [bytearray() for _ in range(tracks)]
        self._sections = [Section() for _ in range(tracks)]
        # Of several tracks the first gives the pictures, the last the sound.
        self._watches = [
            MediaWatch(pictures=track == 0, sound=track == tracks - 1) for track in range(tracks)
        ]
        self._fresh = set(range(tracks))  # have written nothing to the current remuxer
        self._writing = [threading.Lock() for _ in range(tracks)]
        self._given = [threading.Event() for _ in range(tracks)]  # nothing waits in `_heads`
        for given in self._given:
            given.set()
        self._connections = 1
        self._meeting = threading.Condition()
        self._waiting: set[int] = set()
        self._changes = 0
        self._open_tracks = set(range(tracks))
        self._givers: list[threading.Thread] = []
        self._formats: list[str | None] | None = None
        self._current: Remuxer | None = None
        self._closed = False
        self._useless = 0
        self._files = 0
        self._media: MediaInfo | None = None
        self._seconds = 0.0  # of the files before the current one
        self._bytes = 0
        self.unusable: str | None = None

    # What is there

    @property
    def media_seconds(self) -> float:
        """Seconds of media in all files of this feed."""
        current = self._current
        return self._seconds + (current.media_seconds if current else 0.0)

    @property
    def bytes_written(self) -> int:
        """Bytes in all files of this feed."""
        current = self._current
        return self._bytes + (current.bytes_written if current else 0)

    @property
    def media(self) -> MediaInfo | None:
        """What the media is made of, as of the first file."""
        current = self._current
        return self._media or (current.media if current else None)

    @property
    def place(self) -> tuple[str, float]:
        """The file that is written to, and how many seconds it holds; no name before the first."""
        current = self._current
        return (current.path.name, current.media_seconds) if current else ("", 0.0)

    @property
    def files(self) -> int:
        """Files begun so far."""
        return self._files

    # What comes in, from one thread per track

    def write(self, track: int, data: bytes) -> None:
        """Pass media on; raises `SinkClosed` when nobody takes it any more."""
        if not data:
            return
        for part in self._watches[track].parts(data):
            if part.begins:
                self._await_given(track)
                self._begin_other(track, part)
            with self._writing[track]:
                while not self._is_written(track, part.data):
                    pass  # the next file's turn
            if len(self._heads[track]) > LONGEST_HEAD:
                self._await_given(track)

    def begin_section(self, track: int, section: Section | None, *, is_break: bool) -> None:
        """What follows in a track stands on another section, or is by another clock."""
        is_new = section is not None and section != self._sections[track]
        if is_new or is_break:
            self._await_given(track)
        with self._lock:
            self._check()
            before = self._sections[track]
            self._sections[track] = after = section or before
            is_other = before.begins_at != after.begins_at
            if section is not None and section.head:
                self._watches[track].begin_section(section.head)
                is_other |= self._set_container(track, container(section.head[:16]))
            current = self._current
            if current is None or not (is_new or (is_break and not self._stands_breaks())):
                return
            if track in self._fresh and not (is_break or is_other):
                return  # the file that another track has begun begins with it
        if not is_break or len(self._heads) == 1:
            self._change_over(current, track)
            return
        # Sound by the new clock and pictures by the old one would lie apart in one file.
        with self._meeting:
            self._waiting.add(track)
            changes = self._changes
            self._meeting.notify_all()
            self._meeting.wait_for(
                lambda: self._changes > changes or self._is_met(), LONGEST_MEETING
            )
            if self._changes == changes:
                self._change_over(current, track)
                self._changes += 1
                self._meeting.notify_all()
            self._waiting.discard(track)

    def begin_anew(self) -> None:
        """A new connection begins."""
        self._settle()
        with self._lock:
            self._connections += 1
            self._open_tracks = set(range(len(self._heads)))
            for watch in self._watches:
                watch.begin_anew()
            known = set(self._formats or ())
            # What stands on sections says itself when it needs a new file.
            is_sectioned = all(section.head for section in self._sections)
            if self._current is not None and not known <= CONCATENABLE and not is_sectioned:
                self._retire(self._current)
                self._formats = None

    def finish(self, track: int) -> None:
        """A track is whole; with the last one the file is final when this returns."""
        with self._writing[track]:
            with self._lock:
                self._open_tracks.discard(track)
                current = self._current
                head = self._last_of(track) if current is not None else b""
                if not self._open_tracks and self._formats is None and any(self._heads):
                    self.unusable = ONLY_ONE
            with self._meeting:
                self._meeting.notify_all()
            if current is not None:
                self._give_last(current, track, head)
        if current is not None and not self._open_tracks:
            self._retire(current)

    def close(self) -> None:
        """Take nothing more; the file is final when this returns."""
        self._settle()
        self._closed = True
        with self._meeting:
            self._meeting.notify_all()
        with self._lock:
            if self._current is not None:
                self._retire(self._current)

    # Files

    def _await_given(self, track: int) -> None:
        """Return when nothing of a track waits for its file, which begins when the others come.

        What waits stands on what was said before. The files of a film come as fast as they can:
        all the sound may be there, with its second section, before the first picture.
        """
        connection = self._connections
        while not self._given[track].wait(OFTEN):
            self._check()
            if self._connections != connection:
                raise SinkClosed
            if self._open_tracks == {track} and self._formats is None:
                self.unusable = ONLY_ONE
                raise SinkClosed

    def _begin_other(self, track: int, part: Part) -> None:
        """What follows in a track is of another kind: it begins a file, unless it does already."""
        with self._lock:
            self._check()
            is_other = self._set_container(track, part.container)
            if is_other:
                self._sections[track] = Section()
            current = self._current
            if current is None or (track in self._fresh and not is_other):
                return
        self._change_over(current, track)

    def _set_container(self, track: int, name: str | None) -> bool:
        if self._formats is None or name is None or self._formats[track] == name:
            return False
        self._formats[track] = name
        return True

    def _is_written(self, track: int, data: bytes) -> bool:
        """Write to the current file; return False if its remuxer died."""
        with self._lock:
            self._check()
            remuxer = self._current or self._next(track, data)
            if remuxer is None:
                return True  # kept as head
            waiting = self._with_head(track, b"")
            first = self._first_of(track)
        try:
            # Outside that lock: this waits for ffmpeg, which may be waiting for the other track.
            for part in (first, waiting, data):
                remuxer.write(track, part)
        except BrokenPipeError:
            self._retire(remuxer, died=True)
            with self._lock:
                self._heads[track][:0] = waiting
            return False
        self._given[track].set()
        return True

    def _check(self) -> None:
        if self._closed or self.unusable is not None:
            raise SinkClosed

    def _next(self, track: int, data: bytes) -> Remuxer | None:
        """Begin a file; None as long as another track has not said what it is."""
        if self._formats is not None:
            return self._open(track)
        if is_page(data):
            self.unusable = "The source sends a web page in place of media."
            raise SinkClosed
        head = self._heads[track]
        if not all(one or number == track for number, one in enumerate(self._heads)):
            head += data
            self._given[track].clear()
            return None
        firsts = [
            section.head[:16] or bytes(waiting[:16])
            for section, waiting in zip(self._sections, self._heads, strict=True)
        ]
        firsts[track] = firsts[track] or data[:16]
        self._formats = [container(first) for first in firsts]
        return self._open(track)

    def _open(self, track: int) -> Remuxer:
        """Begin a file, and give it what waits of its other tracks: nothing more may come."""
        assert self._formats is not None
        inputs = [
            Input(name, section.begins_at)
            for name, section in zip(self._formats, self._sections, strict=True)
        ]
        remuxer = self._current = self._begin(inputs)
        self._fresh = set(range(len(inputs)))
        self._files += 1
        log.info("file_begun", file=remuxer.path.name, formats=self._formats)
        self._givers = []
        for other in set(range(len(self._heads))) - {track}:
            if other not in self._open_tracks:
                last = self._last_of(other)
                self._give(self._give_last, remuxer, other, last)
            elif self._heads[other]:
                self._give(self._give_waiting, other)
        return remuxer

    def _give(self, target: Callable[..., None], *args: object) -> None:
        """Write to another track than one's own: ffmpeg may take nothing of it yet."""
        giver = threading.Thread(target=target, args=args, daemon=True)
        self._givers.append(giver)
        giver.start()

    def _settle(self) -> None:
        for giver in self._givers:
            giver.join(GIVEN_WITHIN)

    def _give_waiting(self, track: int) -> None:
        with contextlib.suppress(SinkClosed), self._writing[track]:
            while self._heads[track] and not self._is_written(track, b""):
                pass  # the next file's turn

    def _with_head(self, track: int, data: bytes) -> bytes:
        """Return what waited of a track, then the data; nothing waits after that."""
        head, self._heads[track] = self._heads[track], bytearray()
        return bytes(head) + data if head else data

    def _first_of(self, track: int) -> bytes:
        """Return what the current file must begin with in this track; nothing after that."""
        if track not in self._fresh:
            return b""
        self._fresh.discard(track)
        return self._sections[track].head

    def _last_of(self, track: int) -> bytes:
        self._given[track].set()  # to a file that is there
        return self._first_of(track) + self._with_head(track, b"")

    def _stands_breaks(self) -> bool:
        # ffmpeg mends the clock where it may: not where two tracks keep their distance by it.
        return len(self._heads) == 1 and set(self._formats or ()) <= OF_ANY_CLOCK

    def _is_met(self) -> bool:
        return self._closed or self._waiting >= self._open_tracks

    def _change_over(self, remuxer: Remuxer, track: int) -> None:
        """Retire a remuxer from within one track, between two segments of the others."""
        remuxer.end(track)  # or it would wait for more of this one and take nothing of them
        with contextlib.ExitStack() as held:
            for other, writing in enumerate(self._writing):
                if other != track:
                    held.enter_context(writing)
            self._retire(remuxer)

    @staticmethod
    def _give_last(remuxer: Remuxer, track: int, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            remuxer.write(track, data)
        remuxer.end(track)

    def _retire(self, remuxer: Remuxer, *, died: bool = False) -> None:
        """Close a remuxer and add up what it wrote; the next bytes begin a new file."""
        with self._lock:
            if self._current is not remuxer:
                return
            remuxer.close()
            # Whoever looks at the sums meanwhile sees too little, never too much.
            self._current = None
            self._media = self._media or remuxer.media
            # What it had taken was there, whether it is in the file or not.
            killed = remuxer.was_killed
            self._seconds += remuxer.seconds_given if killed else remuxer.media_seconds
            self._bytes += remuxer.bytes_written
            if remuxer.media_seconds > 0:
                self._useless = 0
            elif died:
                self._useless += 1
            if self._useless >= MOST_USELESS:
                said = remuxer.complaint
                self.unusable = f"The media that the source sends cannot be recorded: {said}"
