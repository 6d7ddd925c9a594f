"""Facts that the seeder publishes: the torrent of a recording and its seeding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chronicle_contracts.fact import Fact

Engine = Literal["libtorrent", "transmission", "webseed"]


class TorrentCreated(Fact, publisher="seeder"):
    """A torrent of the recording lies beside it in the store."""

    recording_key: str
    content: str | None = Field(
        default=None, description="which content of the recording: algorithm:digest, or an etag"
    )
    key: str = Field(description="of the .torrent file")
    info_hash: str = Field(pattern=r"^[0-9a-f]{40}$")
    magnet: str
    name: str
    size: int = Field(ge=0, description="bytes of the recording")
    piece_length: int = Field(gt=0, description="bytes")
    trackers: tuple[str, ...] = ()
    web_seeds: tuple[str, ...] = ()


class SeedingStarted(Fact, publisher="seeder"):
    """An engine has verified the recording and offers it to peers."""

    info_hash: str
    engine: Engine


class SeedingProgress(Fact, publisher="seeder"):
    """How the seeding goes."""

    info_hash: str
    uploaded: int = Field(ge=0, description="bytes sent to peers since the torrent was added")
    ratio: float = Field(ge=0)
    peers: int = Field(ge=0)


class SeedingStopped(Fact, publisher="seeder"):
    """The engine offers the recording no longer."""

    info_hash: str
    why: Literal["ratio", "idle", "age", "space", "deleted", "missing"]
    detail: str | None = None


class TorrentFailed(Fact, publisher="seeder"):
    """No torrent could be made; the recording itself is safe."""

    recording_key: str
    code: str
    detail: str
