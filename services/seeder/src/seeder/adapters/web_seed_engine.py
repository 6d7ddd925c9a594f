"""No engine at all: the recording is fetched from its web seed alone (BEP-19).

For recordings in a bucket that no torrent client of ours can read as a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from chronicle_contracts.seeder import Engine as EngineName

from seeder.ports import EngineTorrent, Offer


class WebSeedEngine:
    """Remembers what is offered; the portal serves it."""

    def __init__(self) -> None:
        self._offered: set[str] = set()

    @property
    def name(self) -> EngineName:
        """What it is called in events."""
        return "webseed"

    def offer(self, offer: Offer) -> bool:
        """Take note."""
        self._offered.add(offer.info_hash)
        return True

    def withdraw(self, info_hash: str) -> None:
        """Forget."""
        self._offered.discard(info_hash)

    def torrents(self) -> Mapping[str, EngineTorrent]:
        """Return what was offered since this process began."""
        return {info_hash: EngineTorrent(seeding=True) for info_hash in self._offered}
