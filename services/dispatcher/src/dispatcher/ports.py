"""What the dispatcher needs from the world.

Errors::

    PortError
    ├── Refused       preflight: nothing can be recorded from this URL
    └── LaunchError   launcher: the recorder could not be started
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chronicle_contracts import Event, naming
from chronicle_contracts.dispatcher import LiveStatus
from chronicle_contracts.portal import JobRequested

from dispatcher.domain.heard import Run, Word
from dispatcher.domain.look import Look

StopMode = Literal["keep", "discard"]


class PortError(Exception):
    """Something outside did not do what it was asked for; `detail` is a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Refused(PortError):
    """Nothing can be recorded from this URL; codes are those of `chronicle_sources`."""


class LaunchError(PortError):
    """The recorder could not be started; launching the same run again is safe."""


@dataclass(frozen=True)
class Sight:
    """What preflight saw behind a URL."""

    title: str | None = None
    site: str | None = None
    live_status: LiveStatus = "unknown"
    protocol: str | None = None
    release_at: datetime | None = None


@dataclass(frozen=True)
class Launch:
    """A run to be launched; `stop` and `max_duration` are what is wanted of the job by now.

    `catch_up`: since when media is wanted, where that was before the launch. With
    `deliver_only` nothing more is recorded.
    """

    job_id: str
    attempt: int
    request: JobRequested
    max_duration: float | None = None
    stop: StopMode | None = None
    catch_up: datetime | None = None
    deliver_only: bool = False

    @property
    def run_id(self) -> str:
        """The name of the run: the same however often the launch is repeated."""
        return naming.run_id(self.job_id, self.attempt)


class Clock(Protocol):
    """The time, in UTC."""

    def now(self) -> datetime:
        """Return the time with its zone."""


class Preflight(Protocol):
    """A look at a URL before anything is launched."""

    def check(self, url: str) -> None:
        """Return if the URL may be fetched; does not look at what is behind it.

        Raises `Refused`.
        """

    def look(self, request: JobRequested) -> Sight:
        """Return what stands behind the URL, within the preflight's time limit.

        Raises `Refused`.
        """


class Launcher(Protocol):
    """Starts recorders, somewhere; `reference` is how it finds one again."""

    @property
    def name(self) -> str:
        """The launcher's name in events and settings."""

    def launch(self, launch: Launch) -> str:
        """Start a run and return its reference; of a run that was started before, the same.

        Raises `LaunchError`.
        """

    def control(
        self, job_id: str, reference: str, *, stop: StopMode | None, max_duration: float | None
    ) -> None:
        """Tell a running recorder what is wanted now; nothing happens where it is gone."""

    def is_alive(self, reference: str) -> bool:
        """Return whether the recorder's process or task still runs."""

    def kill(self, job_id: str, reference: str) -> None:
        """End a recorder at once, with all that was started for the job and is still there."""

    def free_disk(self) -> int | None:
        """Return the bytes that are free where recorders write, None where that is no matter."""

    def clean(self, job_id: str) -> None:
        """Remove what the job's runs left on the machine."""


class Orders(Protocol):
    """What the portal asked for, kept until the job is over and after."""

    def add(self, event: Event) -> None:
        """Keep an event of the portal; one that is already there changes nothing."""

    def of(self, job_id: str) -> Sequence[Event]:
        """Return the portal's events about a job that were heard so far."""


class Heard(Protocol):
    """What was heard from runs, by whichever dispatcher."""

    def note(self, word: Word, at: datetime) -> None:
        """Keep what is newer than what is there; the order of arrival does not matter."""

    def of(self, job_id: str) -> Sequence[Run]:
        """Return the job's runs of which something was heard."""


class Places(Protocol):
    """The places for recordings, shared by all dispatchers; a job holds one at most."""

    def take(self, job_id: str, most: int) -> bool:
        """Return whether the job has a place now, of `most` in all."""

    def free(self, job_id: str) -> None:
        """Give the job's place back, if it holds one."""

    def held(self) -> Sequence[str]:
        """Return the jobs that hold a place."""


class Looks(Protocol):
    """The last looks at URLs whose streams are waited for, shared by all dispatchers."""

    def note(self, look: Look) -> None:
        """Keep a job's look in place of the one before."""

    def of(self, job_id: str) -> Look | None:
        """Return the job's last look."""

    def all(self) -> Mapping[str, Look]:
        """Return the looks of all jobs, by job."""

    def forget(self, job_id: str) -> None:
        """Forget the job's look, if there is one."""


class Secrets(Protocol):
    """The vault with the cookies and headers of jobs, as far as it has to be tidied up."""

    def delete(self, name: str) -> None:
        """Delete a secret; none is fine, trouble is logged and passes."""

    def kept(self) -> Sequence[tuple[str, datetime]]:
        """Return the names that are kept, each with the time since when."""


class Link(Protocol):
    """The line on which events come in."""

    def up_since(self) -> datetime | None:
        """Return since when events can have come in, None while the line is down."""


@dataclass(frozen=True)
class Ports:
    """All of them, as the wiring chose them."""

    orders: Orders
    heard: Heard
    places: Places
    looks: Looks
    secrets: Secrets
    preflight: Preflight
    launcher: Launcher
    link: Link
    clock: Clock
