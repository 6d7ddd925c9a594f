"""Both engines over one folder of recordings, and torrents of what lies in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chronicle_local import second_client
from chronicle_storage import RecordingStore, StorageSettings, open_store
from seeder.adapters.libtorrent_engine import LibtorrentEngine
from seeder.adapters.torrent_maker import TorfMaker
from seeder.adapters.transmission_engine import TransmissionEngine
from seeder.ports import Engine, Offer, Wish

from tests.fixtures.p2p import wait_until

KEY = "recordings/2026/01/31/talk-1a2b3c4d.mkv"
PIECE = 64 * 1024


@dataclass
class Library:
    """A local store with one recording of a little more than sixteen pieces."""

    store: RecordingStore
    content: bytes = field(default_factory=lambda: os.urandom(16 * PIECE + 77))

    @property
    def path(self) -> Path:
        path = self.store.local_path(KEY)
        assert path is not None
        return path

    def write(self, content: bytes) -> None:
        self.store.put(KEY, content)

    def offer(self, **more: Any) -> Offer:
        wish = Wish(
            key=KEY,
            name=self.path.name,
            size=len(self.content),
            piece_length=PIECE,
            made_at=datetime(2026, 1, 31, tzinfo=UTC),
            **more,
        )
        torrent = TorfMaker(self.store).make(wish)
        return Offer(torrent.info_hash, torrent.metainfo, KEY, wish.size)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(open_store(StorageSettings(recordings=tmp_path / "recordings")))
    made.write(made.content)
    return made


@dataclass
class Seeding:
    """An engine and where its peers connect."""

    engine: Engine
    peer: str

    def settle(self, offer: Offer) -> None:
        """Offer until the engine says that it does."""
        wait_until(lambda: self.engine.offer(offer), "the engine offers the torrent")

    def start_fetching(self, offer: Offer, into: Path) -> subprocess.Popen[bytes]:
        """Let a second client begin; the caller ends it."""
        into.mkdir()
        torrent = into / "wanted.torrent"
        torrent.write_bytes(offer.metainfo)
        client = [sys.executable, "-m", "chronicle_local.fetch", str(torrent), str(into)]
        return subprocess.Popen([*client, "--peer", self.peer])

    def fetch(self, offer: Offer, into: Path) -> bytes:
        """Let a second client, in a process of its own, fetch the recording from peers."""
        into.mkdir()
        return second_client.fetch(offer.metainfo, into, peer=self.peer).path.read_bytes()


@pytest.fixture
def libtorrent_seeding(library: Library) -> Iterator[Seeding]:
    engine = LibtorrentEngine(locate=library.store.local_path, listen="127.0.0.1:0")
    wait_until(lambda: engine.port > 0, "libtorrent listens")
    yield Seeding(engine, f"127.0.0.1:{engine.port}")
    engine.close()


@pytest.fixture
def transmission_seeding(library: Library, transmission) -> Seeding:
    engine = TransmissionEngine(transmission.url, locate=library.store.local_path)
    return Seeding(engine, transmission.peer)


@pytest.fixture(params=["libtorrent", "transmission"])
def seeding(request) -> Seeding:
    """Each engine in turn."""
    found: Seeding = request.getfixturevalue(f"{request.param}_seeding")
    return found
