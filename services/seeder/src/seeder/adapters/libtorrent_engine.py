"""libtorrent in this process: the engine of one machine.

It offers and never fetches: `seed_mode` takes the files as they are (pieces are checked when a
peer first asks for them), `upload_mode` forbids requests and with them every write, also when
such a check fails and the torrent turns into a downloader, and web seeds are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import libtorrent as lt
import structlog
from chronicle_contracts.seeder import Engine as EngineName

from seeder.adapters.torrent_maker import without_web_seeds
from seeder.ports import EngineRefused, EngineTorrent, Offer

log = structlog.get_logger(__name__)

FINISHED = frozenset({"seeding", "finished"})
CHECKING = frozenset({"checking_files", "checking_resume_data", "allocating"})


class LibtorrentEngine:
    """One libtorrent session; it forgets everything at its end, the reconciler fills it again.

    `locate` returns where a recording lies; `listen` is `address:port`, port 0 for a free one.
    `discovery` turns on DHT, local peer discovery and port mapping.
    """

    def __init__(
        self, *, locate: Callable[[str], Path | None], listen: str, discovery: bool = False
    ) -> None:
        self._locate = locate
        self._session: Any = lt.session(
            {
                "listen_interfaces": listen,
                "enable_dht": discovery,
                "enable_lsd": discovery,
                "enable_upnp": discovery,
                "enable_natpmp": discovery,
                "user_agent": "Chronicle",
                # Status is asked for; nobody reads alerts.
                "alert_mask": 0,
                # Peers behind one router, and all on one machine, share an address.
                "allow_multiple_connections_per_ip": True,
                # A tracker that does not answer our good-bye must not hold up a stop (seconds).
                "stop_tracker_timeout": 1,
            }
        )

    @property
    def name(self) -> EngineName:
        """What it is called in events."""
        return "libtorrent"

    @property
    def port(self) -> int:
        """The TCP port that peers connect to; 0 while it does not listen."""
        return int(self._session.listen_port())

    def offer(self, offer: Offer) -> bool:
        """Add the torrent as a seed; libtorrent looks at the file's size at once."""
        handle = self._find(offer.info_hash)
        if handle is None:
            handle = self._add(offer)
        state = _state(handle)
        if state.error is not None:
            self._session.remove_torrent(handle)
            raise EngineRefused(f"libtorrent: {state.error}")
        return state.seeding

    def _add(self, offer: Offer) -> Any:
        path = self._locate(offer.recording_key)
        if path is None or not path.is_file():
            raise EngineRefused(f"{offer.recording_key} is not in a folder of this machine")
        added = lt.load_torrent_buffer(without_web_seeds(offer.metainfo))
        added.save_path = str(path.parent)
        flags = lt.torrent_flags
        # By default the queue would start five seeds and pause the others.
        added.flags &= ~(flags.auto_managed | flags.paused)
        added.flags |= flags.seed_mode | flags.upload_mode
        return self._session.add_torrent(added)

    def withdraw(self, info_hash: str) -> None:
        """Remove the torrent; without the flag that says so, files are never deleted."""
        handle = self._find(info_hash)
        if handle is not None:
            self._session.remove_torrent(handle)

    def torrents(self) -> Mapping[str, EngineTorrent]:
        """Return the state of all torrents."""
        return {
            str(handle.info_hashes().v1): _state(handle)
            for handle in self._session.get_torrents()
            if handle.is_valid()
        }

    def close(self) -> None:
        """Say goodbye to trackers and peers."""
        for handle in self._session.get_torrents():
            self._session.remove_torrent(handle)
        self._session.pause()

    def _find(self, info_hash: str) -> Any | None:
        handle = self._session.find_torrent(lt.sha1_hash(bytes.fromhex(info_hash)))
        return handle if handle.is_valid() else None


def _state(handle: Any) -> EngineTorrent:
    status = handle.status()
    name = str(status.state)
    error = None
    if status.errc.value():
        error = status.errc.message()
    elif name not in FINISHED | CHECKING:
        error = f"the files are not what the torrent was made of ({name})"
    return EngineTorrent(
        seeding=error is None and name in FINISHED,
        error=error,
        uploaded=int(status.total_payload_upload),
        peers=int(status.num_peers),
    )
