"""What a later attempt must know if this machine is lost, beside the recording in the store.

- `<key>.attempt-<n>.notes`: what the run has said, a line an event; of heartbeats the last one.
- `<key>.attempt-<n>.segments-<m>`: the log of segments in pieces of `PIECE` bytes. Only the last
  one is written again, so that a long recording costs no more than a short one.

Notes are written every `every` seconds, and when a fact is said, by a thread of their own: a
store that is slow or away holds nothing up. The log of segments is left just before media is:
its marks tell how far that reaches. Both are deleted with the rest of what attempts leave.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from chronicle_contracts import Event, MalformedEvent, decode, encode
from chronicle_contracts.recorder import Heartbeat
from chronicle_storage import RecordingStore, StoreError

from recorder.adapters.keeping.asking import patiently

log = structlog.get_logger(__name__)

PIECE = 64 * 1024  # bytes
LEAST_PAUSE = 1.0  # seconds
KIND = "text/plain"


class StoreNotes:
    """The notes of one attempt, and those of the ones before it."""

    def __init__(
        self, store: RecordingStore, key: str, *, attempt: int, segments: Path, every: float
    ) -> None:
        self._store = store
        self._key = key
        self._attempt = attempt
        self._segments = segments
        self._every = every
        self._said: list[Event] = []
        self._beat: Event | None = None
        self._left = 0  # bytes of the log of segments that are stored in full pieces
        self._stored = 0  # bytes of it that are stored at all
        self._lasting = 0  # bytes of it that are stored whatever happens
        self._pieces = 0
        self._is_cleared = False
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._leaving = threading.Lock()

    # What others left

    def recall(self) -> dict[int, list[Event]]:
        """Return what earlier attempts had said by their notes; fetch their log of segments.

        Empty for a first attempt, and where the store does not answer.
        """
        if self._attempt == 1:
            return {}
        try:
            recalled = patiently(lambda: {n: self._read(n) for n in range(1, self._attempt)})
            if not self._segments.exists():
                patiently(self._fetch_segments)
        except (StoreError, OSError) as error:
            log.warning("notes_not_recalled", error=str(error))
            return {}
        found = {attempt: events for attempt, events in recalled.items() if events}
        if found:
            log.info("notes_recalled", attempts=sorted(found))
        return found

    def _read(self, attempt: int) -> list[Event]:
        name = self._name(attempt)
        if self._store.stat(name) is None:
            return []
        try:
            return [decode(line) for line in b"".join(self._store.read(name)).splitlines()]
        except MalformedEvent as error:
            log.warning("notes_unreadable", name=name, error=str(error))
            return []

    def _fetch_segments(self) -> None:
        fetched = self._segments.with_suffix(".fetched")
        with fetched.open("wb") as file:
            for attempt in range(1, self._attempt):
                for one in sorted(
                    self._store.list(f"{self._key}.attempt-{attempt}.segments-"),
                    key=lambda found: found.key,
                ):
                    file.writelines(self._store.read(one.key))
        fetched.replace(self._segments)  # the half of it would pass for all there is

    # What this one leaves

    def start(self) -> None:
        """Begin to leave notes; what is in the log of segments by now is of earlier attempts."""
        self._left = self._stored = self._lasting = self._size()
        threading.Thread(target=self._run, name="notes", daemon=True).start()

    def hear(self, events: Sequence[Event]) -> None:
        """Take what the run says."""
        with self._lock:
            for event in events:
                if isinstance(event.data, Heartbeat):
                    self._beat = event
                else:
                    self._said.append(event)
                    self._wake.set()  # that is worth a note now

    def leave(self) -> None:
        """Store what there is now. Raises `StoreError`."""
        with self._lock:
            said = [*self._said, *([self._beat] if self._beat else [])]
        if said:
            self._store.put(self._name(self._attempt), _lines(said), content_type=KIND)

    def leave_segments(self, *, lasting: bool = True) -> None:
        """Store what is new in the log of segments; a failure is logged, nothing more."""
        with self._leaving:
            if self._is_cleared:
                return
            try:
                self._leave_segments(lasting=lasting)
            except (StoreError, OSError) as error:
                log.warning("segments_not_left", error=str(error))

    def _leave_segments(self, *, lasting: bool) -> None:
        size = self._size()
        if size <= (self._lasting if lasting else self._stored):
            return
        for number, data in self._new_pieces(size):
            name = self._piece(self._attempt, number)
            is_full = len(data) == PIECE  # nobody writes it again
            self._store.put(name, data, content_type=KIND, lasting=lasting or is_full)
            self._stored = self._left + len(data)
            self._lasting = self._stored if lasting or is_full else self._lasting
            if is_full:
                self._left, self._pieces = self._left + PIECE, number + 1

    def stop(self) -> None:
        """Leave no more."""
        self._stop.set()
        self._wake.set()

    def clear(self) -> None:
        """Delete the notes of all attempts; a failure is logged, nothing more."""
        self.stop()
        with self._leaving:
            self._is_cleared = True
            try:
                self._delete()
            except StoreError as error:
                log.warning("notes_left_behind", error=str(error))

    def _delete(self) -> None:
        for attempt in range(1, self._attempt + 1):
            listed = self._store.list(f"{self._key}.attempt-{attempt}.")
            notes = {one.key for one in listed if _is_note(one.key)}
            # Of what an attempt was writing for the first time when it was killed, none is listed.
            pieces = len(notes - {self._name(attempt)})
            for key in {*notes, self._name(attempt), self._piece(attempt, pieces)}:
                self._store.delete(key)

    def _run(self) -> None:
        # Facts may come in bursts: not more often than once a second.
        while not self._stop.wait(LEAST_PAUSE):
            self._wake.wait(self._every)
            self._wake.clear()
            with self._leaving:
                if self._stop.is_set():
                    return
                try:
                    self.leave()
                except (StoreError, OSError) as error:
                    log.warning("notes_not_left", error=str(error))

    def _new_pieces(self, size: int) -> Iterator[tuple[int, bytes]]:
        """Yield what the first `size` bytes of the log are; it grows while they are stored.

        What comes meanwhile must not begin a piece behind one that is not full.
        """
        starts = range(self._left, size, PIECE)
        with self._segments.open("rb") as file:
            file.seek(self._left)
            for number, start in enumerate(starts, self._pieces):
                yield number, file.read(min(PIECE, size - start))

    def _size(self) -> int:
        return self._segments.stat().st_size if self._segments.exists() else 0

    def _name(self, attempt: int) -> str:
        return f"{self._key}.attempt-{attempt}.notes"

    def _piece(self, attempt: int, number: int) -> str:
        return f"{self._key}.attempt-{attempt}.segments-{number:05}"


def _lines(events: Sequence[Event]) -> bytes:
    return b"".join(encode(event) + b"\n" for event in events)


def _is_note(key: str) -> bool:
    name = key.rpartition("/")[2]
    return name.endswith(".notes") or ".segments-" in name
