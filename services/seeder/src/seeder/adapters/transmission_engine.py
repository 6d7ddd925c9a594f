"""Transmission by RPC, 3.00 and newer.

A torrent is added paused, checked, and started only when all of it is there: a torrent that is
started short of that would be downloaded into the recordings. Its own limits are switched off,
the policy is ours. Nothing here ever removes with data.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from chronicle_contracts.seeder import Engine as EngineName
from transmission_rpc import Client, TransmissionError, from_url
from transmission_rpc.error import TransmissionAuthError

from seeder.adapters.torrent_maker import without_web_seeds
from seeder.ports import EngineDown, EngineRefused, EngineTorrent, Offer

log = structlog.get_logger(__name__)

FIELDS = (
    "hashString",
    "status",
    "leftUntilDone",
    "error",
    "errorString",
    "uploadedEver",
    "peersConnected",
)

# Numbers of the RPC specification: status, error, limit modes.
STOPPED, CHECKING, DOWNLOADING, SEEDING = 0, {1, 2}, {3, 4}, {5, 6}
LOCAL_ERROR = 3
UNLIMITED = 2

# 3.00 locks everybody out after a hundred bad logins, until it is restarted.
AFTER_A_BAD_LOGIN = 900.0


class TransmissionEngine:
    """A Transmission daemon; connected when it is first needed, and again when it was away.

    `locate` returns where Transmission itself sees a recording.
    """

    def __init__(
        self,
        url: str,
        *,
        locate: Callable[[str], Path | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._address = _without_credentials(url)
        self._locate = locate
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._locked_out_until = 0.0
        self._checked: set[str] = set()
        # The client writes its address, with the password, into its debug log.
        self._quiet = logging.getLogger(f"{__name__}.client")
        self._quiet.setLevel(logging.WARNING)

    @property
    def name(self) -> EngineName:
        """What it is called in events."""
        return "transmission"

    def offer(self, offer: Offer) -> bool:
        """Take the next step towards seeding: add, check, start."""
        with self._connected() as client:
            found = self._look(client, offer.info_hash)
            if found is None:
                self._add(client, offer)
                found = self._look(client, offer.info_hash)
            if found is None or found["status"] in CHECKING:
                return False
            if found["status"] in SEEDING and found["error"] != LOCAL_ERROR:
                return True
            if found["status"] == STOPPED and found["leftUntilDone"] == 0:
                return self._start(client, offer.info_hash)
            if found["status"] == STOPPED and offer.info_hash not in self._checked:
                # The moment between adding and checking looks like this too.
                self._checked.add(offer.info_hash)
                client.verify_torrent(offer.info_hash)
                return False
            self._remove(client, offer.info_hash)
        reason = found["errorString"] or f"{found['leftUntilDone']} bytes fail the check"
        raise EngineRefused(f"Transmission: {reason}")

    def _add(self, client: Client, offer: Offer) -> None:
        path = self._locate(offer.recording_key)
        if path is None:
            raise EngineRefused(
                f"{offer.recording_key} is in no folder that Transmission sees; "
                "set CHRONICLE_TRANSMISSION_RECORDINGS"
            )
        self._checked.discard(offer.info_hash)
        client.add_torrent(
            without_web_seeds(offer.metainfo), download_dir=str(path.parent), paused=True
        )

    def _start(self, client: Client, info_hash: str) -> bool:
        client.change_torrent(info_hash, seed_ratio_mode=UNLIMITED, seed_idle_mode=UNLIMITED)
        client.start_torrent_now(info_hash)
        found = self._look(client, info_hash)
        return found is not None and found["status"] in SEEDING

    def _look(self, client: Client, info_hash: str) -> dict[str, Any] | None:
        # Asked by a hash that it does not have, 3.00 answers with an empty list.
        found = [
            one.fields
            for one in client.get_torrents([info_hash], arguments=FIELDS)
            if one.fields["hashString"] == info_hash
        ]
        return found[0] if found else None

    def _remove(self, client: Client, info_hash: str) -> None:
        client.remove_torrent(info_hash, delete_data=False)
        self._checked.discard(info_hash)

    def withdraw(self, info_hash: str) -> None:
        """Remove the torrent and keep its data."""
        with self._connected() as client:
            if self._look(client, info_hash) is not None:
                self._remove(client, info_hash)

    def torrents(self) -> Mapping[str, EngineTorrent]:
        """Return the state of all torrents, those of others too."""
        with self._connected() as client:
            found = client.get_torrents(arguments=FIELDS)
        return {str(one.fields["hashString"]): _state(one.fields) for one in found}

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        with self._lock:
            try:
                if self._client is None:
                    self._client = self._connect()
                yield self._client
            except TransmissionAuthError:
                self._client = None
                self._locked_out_until = self._monotonic() + AFTER_A_BAD_LOGIN
                log.error("transmission_login_refused", address=self._address)  # noqa: TRY400
                raise EngineDown(
                    f"Transmission at {self._address} refuses the login; "
                    "check name and password in TRANSMISSION_URL"
                ) from None
            except TransmissionError as error:
                self._client = None
                raise EngineDown(f"Transmission at {self._address}: {error.message}") from None

    def _connect(self) -> Client:
        if self._monotonic() < self._locked_out_until:
            raise EngineDown(f"waiting after a refused login at {self._address}")
        return from_url(self._url, timeout=30.0, logger=self._quiet)


def _state(fields: Mapping[str, Any]) -> EngineTorrent:
    error = None
    if fields["error"] == LOCAL_ERROR:
        error = str(fields["errorString"])
    elif fields["status"] in DOWNLOADING:
        error = "it is downloading"
    return EngineTorrent(
        seeding=error is None and fields["status"] in SEEDING,
        error=error,
        uploaded=int(fields["uploadedEver"]),
        peers=int(fields["peersConnected"]),
    )


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
