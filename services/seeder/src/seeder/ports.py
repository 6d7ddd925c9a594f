"""What the seeder needs from the world.

Errors::

    PortError
    ├── CannotMake      no torrent can be made of what is stored; code and sentence
    ├── EngineRefused   the engine looked at the files and will not offer them
    └── EngineDown      the engine does not answer: passes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chronicle_contracts.seeder import Engine as EngineName


class PortError(Exception):
    """Something outside did not do what it was asked for."""


class CannotMake(PortError):
    """No torrent can be made; `detail` is a sentence for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class EngineRefused(PortError):
    """The engine will not offer this torrent as the files are now."""


class EngineDown(PortError):
    """The engine cannot be reached right now."""


@dataclass(frozen=True)
class StoredFile:
    """An object of the recording store."""

    size: int
    etag: str


class Recordings(Protocol):
    """The recording store; while it does not answer, every method raises `Retry`."""

    def stat(self, key: str) -> StoredFile | None:
        """Return what is known of an object, None where there is none."""

    def fetch(self, key: str) -> bytes | None:
        """Return a small object as a whole, None where there is none."""

    def put(self, key: str, data: bytes) -> None:
        """Store a small object, replacing what was there."""

    def delete(self, key: str) -> None:
        """Delete an object; nothing to do is fine."""

    def delete_beside(self, key: str) -> None:
        """Delete what stands beside a recording: its manifest, journal, what attempts left."""


@dataclass(frozen=True)
class Wish:
    """Everything that decides a torrent's bytes, beside those of the recording itself."""

    key: str
    name: str
    size: int
    piece_length: int
    made_at: datetime
    trackers: Sequence[str] = ()
    web_seeds: Sequence[str] = ()


@dataclass(frozen=True)
class Torrent:
    """A .torrent file; `info_hash` is 40 hex digits."""

    metainfo: bytes
    info_hash: str
    magnet: str


class TorrentMaker(Protocol):
    """Hashes recordings."""

    def make(self, wish: Wish) -> Torrent:
        """Return the torrent: the same bytes for the same wish.

        Raises `CannotMake`, and `Retry` while the store does not answer.
        """


@dataclass(frozen=True)
class Offer:
    """What an engine is to offer: a .torrent and the recording that it was made of."""

    info_hash: str
    metainfo: bytes
    recording_key: str
    size: int


@dataclass(frozen=True)
class EngineTorrent:
    """How a torrent stands in the engine.

    Neither seeding nor an error: the engine is still checking. `uploaded` are bytes as the
    engine counts, which may begin at 0 with each of its lives.
    """

    seeding: bool
    error: str | None = None
    uploaded: int = 0
    peers: int = 0


class Engine(Protocol):
    """What serves peers: reads the recordings, never writes and never downloads."""

    @property
    def name(self) -> EngineName:
        """What it is called in events."""

    def offer(self, offer: Offer) -> bool:
        """See to it that a torrent is offered; return whether it is by now.

        False means that the engine is still checking: call again. Offering twice is once.
        Raises `EngineRefused` (and forgets the torrent) and `EngineDown`.
        """

    def withdraw(self, info_hash: str) -> None:
        """Forget a torrent, leave its files alone; nothing to do is fine. Raises `EngineDown`."""

    def torrents(self) -> Mapping[str, EngineTorrent]:
        """Return everything that the engine has, by info-hash. Raises `EngineDown`."""


class Tracker(Protocol):
    """A tracker that serves only the torrents it was told of."""

    def allow(self, info_hash: str) -> None:
        """Let peers of a torrent find each other; again is fine."""

    def forbid(self, info_hash: str) -> None:
        """Serve a torrent no longer; nothing to do is fine."""
