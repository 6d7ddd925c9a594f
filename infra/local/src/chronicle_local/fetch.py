"""A BitTorrent client of its own: fetches a torrent from peers alone, then ends.

    python -m chronicle_local.fetch FILE.torrent FOLDER --peer 127.0.0.1:6881

Web seeds, DHT and local discovery are off: what it has in the end came from peers.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import libtorrent

INTERFACE = "127.0.0.7"  # one address a client: trackers and clients know peers of loopback by it


def main() -> None:
    """Fetch; exit code 0 once every piece is there and was checked."""
    parser = argparse.ArgumentParser(prog="chronicle_local.fetch", description=__doc__)
    parser.add_argument("torrent", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", help="host:port of a peer to ask at once")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds (60)")
    arguments = parser.parse_args()
    session = libtorrent.session(
        {
            "listen_interfaces": f"{INTERFACE}:0",
            "outgoing_interfaces": INTERFACE,
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "allow_multiple_connections_per_ip": True,
            # TCP only: it would try UDP again and again at a seeder that has none.
            "enable_outgoing_utp": False,
        }
    )
    wanted = libtorrent.load_torrent_file(str(arguments.torrent))
    wanted.save_path = str(arguments.folder)
    wanted.url_seeds = []
    handle = session.add_torrent(wanted)
    deadline = time.monotonic() + arguments.timeout
    while not handle.status().is_seeding:
        status = handle.status()
        if time.monotonic() > deadline:
            raise SystemExit(
                f"not fetched within {arguments.timeout:g} s: {status.progress:.0%} done, "
                f"{status.num_peers} peers, tracker {status.current_tracker or 'none'}"
            )
        if arguments.peer and status.num_peers == 0:
            host, _, port = arguments.peer.rpartition(":")
            handle.connect_peer((host, int(port)))
        time.sleep(0.2)


if __name__ == "__main__":
    main()
