"""Facts that the seeder publishes: the torrent of a recording and its seeding."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chronicle_contracts.fact import Fact

Engine = Literal["libtorrent", "transmission", "webseed"]


class TorrentCreated(Fact, publisher="seeder"):
    """A torrent of the recording lies beside it in the store."""

    recording_key: str = Field(description="of the recording in the store")
    content: str | None = Field(
        default=None, description="which content of the recording: algorithm:digest, or an etag"
    )
    key: str = Field(description="of the .torrent file")
    info_hash: str = Field(
        pattern=r"^[0-9a-f]{40}$", description="SHA-1 of the torrent's info, in hexadecimal"
    )
    magnet: str = Field(description="magnet link")
    name: str = Field(description="of the file in the torrent")
    size: int = Field(ge=0, description="bytes of the recording")
    piece_length: int = Field(gt=0, description="bytes")
    trackers: tuple[str, ...] = Field(default=(), description="announce addresses")
    web_seeds: tuple[str, ...] = Field(
        default=(), description="addresses that serve the recording over HTTP"
    )


class SeedingStarted(Fact, publisher="seeder"):
    """An engine has verified the recording and offers it to peers."""

    info_hash: str = Field(description="SHA-1 of the torrent's info, in hexadecimal")
    engine: Engine = Field(description="what seeds it")


class SeedingProgress(Fact, publisher="seeder"):
    """How the seeding goes."""

    info_hash: str = Field(description="SHA-1 of the torrent's info, in hexadecimal")
    uploaded: int = Field(ge=0, description="bytes sent to peers since the torrent was added")
    ratio: float = Field(ge=0, description="bytes sent by bytes of the recording")
    peers: int = Field(ge=0, description="how many are connected")


class SeedingStopped(Fact, publisher="seeder"):
    """The engine offers the recording no longer."""

    info_hash: str = Field(description="SHA-1 of the torrent's info, in hexadecimal")
    why: Literal["ratio", "idle", "age", "space", "deleted", "missing"] = Field(
        description="what ended it"
    )
    detail: str | None = Field(default=None, description="a sentence for people")


class TorrentFailed(Fact, publisher="seeder"):
    """No torrent could be made; the recording itself is safe."""

    recording_key: str = Field(description="of the recording in the store")
    code: str = Field(description="what went wrong, for machines")
    detail: str = Field(description="a sentence for people")
