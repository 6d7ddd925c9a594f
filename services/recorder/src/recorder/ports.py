"""What a recording needs of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chronicle_contracts.recorder import MediaInfo

from recorder.domain.delivery import Delivery
from recorder.domain.gaps import Loss
from recorder.domain.hindrance import Hindrance
from recorder.domain.run import Run
from recorder.domain.segment import DateRange, Missed, Segment
from recorder.domain.statement import Statement
from recorder.domain.stream import Stream


@dataclass(frozen=True)
class FetchEnd:
    """Why a fetcher ended.

    `ended`: the source said so (end mark, whole file). `refused`: the address is no longer
    valid (403, 410), so resolve again. `broken`: it could not go on. `unusable`: media came,
    but nothing that can be recorded.
    """

    kind: Literal["ended", "refused", "broken", "unusable"]
    detail: str


@dataclass(frozen=True)
class Sighting:
    """What a capture has at this moment, for this run; `losses` only since the last look.

    `continues` tells that the first media follows exactly on what an earlier attempt kept.
    `patience` is how many seconds without media are normal for this source; `hindrance` is what
    keeps media from coming, where the fetcher knows. `is_numbered`: the source numbers its
    segments, so that `losses` are all that is missing. `is_expiring`: its addresses will not work
    for much longer; it is fetched from until another stream is. `is_behind`: the source has
    offered media that is still being fetched.
    """

    media_seconds: float = 0.0
    bytes_recorded: int = 0
    media: MediaInfo | None = None
    losses: tuple[Loss, ...] = ()
    end: FetchEnd | None = None
    stream: Stream | None = None
    restarts: int = 0
    continues: bool = False
    patience: float = 0.0
    hindrance: Hindrance | None = None
    is_numbered: bool = False
    is_expiring: bool = False
    is_behind: bool = False


class Ledger(Protocol):
    """Where fetchers note what they kept; called from their threads, returns at once."""

    def keep(self, segment: Segment) -> None:
        """A segment is in the recording: its last byte was taken by the sink."""

    def tell(self, date_range: DateRange) -> None:
        """The source says something of its programme; what it repeats is noted once."""


class Accounts(Protocol):
    """What is known of the segments of all attempts."""

    @property
    def programme_time(self) -> datetime | None:
        """When, by the source's own clock, the first media of this run was made."""

    def miss(self, missed: Missed) -> None:
        """Note segments that could not be had."""

    def go_on(self, attempt: int) -> None:
        """This attempt keeps, or misses again, all that follows on what earlier ones saved."""

    def asked_since(self) -> Mapping[int, datetime]:
        """Return, of attempts that went on so, until when what was saved had been kept."""

    def given(self) -> Mapping[str, float]:
        """Return the seconds of media that each file was given, by its name, as far as known."""

    def count(self) -> tuple[int, int]:
        """Return how many segments were kept, and how many missed."""


class Manifest(Protocol):
    """The statement about a recording, beside it in the store."""

    def write(self, statement: Statement) -> str:
        """Store it; return its key. Can be repeated. Raises `StoreTrouble`."""

    def discard(self, key: str) -> None:
        """Delete the one of a recording; nothing to do is fine."""


class Capture(Protocol):
    """Media on its way from a source into files; runs by itself, is looked at."""

    def fetch(self, stream: Stream) -> None:
        """Fetch from this stream from now on, into the same recording."""

    def look(self) -> Sighting:
        """Return what is there; never blocks."""

    def pause(self) -> None:
        """Fetch nothing until `fetch` is called again; what came is kept."""

    def close(self) -> None:
        """Stop fetching and finalise the file; takes seconds at most. Safe to call twice."""


class Site(Protocol):
    """The URL of the job."""

    def look(self) -> Stream:
        """Return the stream behind it; takes a second or more.

        Raises `domain.problem.SourceProblem`.
        """


class StoreTrouble(Exception):
    """The recording store cannot take the recording now; try again."""


class Superseded(Exception):
    """A later attempt has taken the recording over: end at once, and touch nothing."""


class Shelf(Protocol):
    """The files of this recording, of all its attempts, and the place where it is delivered."""

    @property
    def key(self) -> str:
        """Where the recording is delivered."""

    @property
    def saved_bytes(self) -> int:
        """Bytes that earlier attempts left."""

    @property
    def bytes_durable(self) -> int:
        """Bytes that the store has confirmed, of all attempts."""

    @property
    def free_disk(self) -> int | None:
        """Bytes free where files grow."""

    def deliver(self) -> Delivery:
        """Bring the files, joined where they are several, under the key, and verify that.

        Can be repeated. Raises `StoreTrouble`, `NothingSaved` or `Superseded`.
        """

    @property
    def is_superseded(self) -> bool:
        """Whether the store refused what grows here, because a later attempt goes on with it."""

    def withdraw(self) -> None:
        """Delete what was delivered, if anything was. Raises `StoreTrouble`."""

    def leave_journal(self, lines: bytes) -> None:
        """Put the events beside the recording; a failure is logged, nothing more."""


class NothingSaved(Exception):
    """There is not one second of media in the files."""


class Journal(Protocol):
    """The events of this job's runs, and their way out."""

    def earlier(self) -> Sequence[Run]:
        """Return the runs of this job other than the current one, oldest first."""

    def last_word(self) -> datetime | None:
        """Return when an earlier run last said something."""

    def run(self) -> Run:
        """Return the current run."""

    def save(self, run: Run) -> None:
        """Make durable what the run recorded; it is published in the background."""

    def lines(self) -> bytes:
        """Return all events of the job's runs as JSON lines."""

    def drain(self, timeout: float) -> bool:
        """Publish what is unsaid; False if that took longer than `timeout` seconds."""


@dataclass(frozen=True)
class Wish:
    """What is asked of the run from outside; `max_duration` in seconds of media."""

    stop: Literal["keep", "discard", "terminated"] | None = None
    max_duration: float | None = None


class Control(Protocol):
    """Where wishes come in."""

    def wish(self) -> Wish:
        """Return what is asked for now; cheap enough for every look."""

    def wait(self, seconds: float) -> None:
        """Wait, but not past the moment at which there is something to look at."""


class Clock(Protocol):
    """Time, as dates and as seconds that never jump."""

    def now(self) -> datetime:
        """Return the date and time, in UTC."""

    def seconds(self) -> float:
        """Return seconds since some moment in the past."""


class LogTail(Protocol):
    """The end of this process's log."""

    def text(self) -> str:
        """Return what was logged last, without secrets."""
