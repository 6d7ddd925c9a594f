"""Torrents by torf: hashed in place where the store is a folder, else as the store streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import torf
from chronicle_storage import ObjectMissing, RecordingStore

from seeder.adapters.recordings import passing
from seeder.ports import CannotMake, Torrent, Wish

CREATED_BY = "Chronicle"


class TorfMaker:
    """Makes v1 torrents of one file; the same wish gives the same bytes."""

    def __init__(self, store: RecordingStore) -> None:
        self._store = store

    def make(self, wish: Wish) -> Torrent:
        """Hash the recording, in bounded memory, and describe it."""
        path = self._store.local_path(wish.key)
        try:
            if path is not None:
                torrent = _hash_in_place(path, wish)
            else:
                with passing():
                    torrent = _hash_stream(self._store.read(wish.key), wish)
        except ObjectMissing as missing:
            raise CannotMake(
                "missing", f"The recording {wish.key} is not in the store."
            ) from missing
        _describe(torrent, wish)
        try:
            metainfo: bytes = torrent.dump(validate=True)
        except torf.TorfError as error:
            raise CannotMake("bad_torrent", f"No valid torrent of {wish.key}: {error}.") from error
        return Torrent(metainfo, str(torrent.infohash), str(torrent.magnet()))


def _hash_in_place(path: Path, wish: Wish) -> Any:
    try:
        torrent = torf.Torrent(path=path, name=wish.name, piece_size=wish.piece_length)
        torrent.generate()
    except torf.TorfError as error:
        raise CannotMake("unreadable", f"The recording {wish.key}: {error}.") from error
    if torrent.size != wish.size:
        raise _changed(wish, torrent.size)
    return torrent


def _hash_stream(chunks: Iterable[bytes], wish: Wish) -> Any:
    pieces, size = hash_pieces(chunks, wish.piece_length)
    if size != wish.size:
        raise _changed(wish, size)
    torrent = torf.Torrent()
    torrent.metainfo["info"] = {
        "name": wish.name,
        "piece length": wish.piece_length,
        "length": size,
        "pieces": pieces,
    }
    return torrent


def hash_pieces(chunks: Iterable[bytes], piece_length: int) -> tuple[bytes, int]:
    """Return the SHA-1 digests of all pieces, one after the other, and the number of bytes."""
    digests: list[bytes] = []
    digest, filled, size = _sha1(), 0, 0
    for chunk in chunks:
        size += len(chunk)
        view = memoryview(chunk)
        while view:
            taken = view[: piece_length - filled]
            digest.update(taken)
            filled += len(taken)
            view = view[len(taken) :]
            if filled == piece_length:
                digests.append(digest.digest())
                digest, filled = _sha1(), 0
    if filled:
        digests.append(digest.digest())
    return b"".join(digests), size


def _sha1() -> Any:
    # BEP-3: pieces are SHA-1; it is no secret that they protect.
    return hashlib.sha1(usedforsecurity=False)


def _describe(torrent: Any, wish: Wish) -> None:
    """Set what lies outside the info dictionary and so does not change the info-hash."""
    # One tier: clients that cannot use the first tracker (aria2 has no UDP without DHT) try the
    # next one at once.
    torrent.trackers = [list(wish.trackers)] if wish.trackers else None
    torrent.webseeds = list(wish.web_seeds) or None
    torrent.created_by = CREATED_BY
    # torf takes naive local times and writes seconds since 1970.
    torrent.creation_date = datetime.fromtimestamp(int(wish.made_at.timestamp()))  # noqa: DTZ006


def _changed(wish: Wish, size: int) -> CannotMake:
    return CannotMake(
        "changed", f"The recording {wish.key} has {size} bytes, {wish.size} were uploaded."
    )


def without_web_seeds(metainfo: bytes) -> bytes:
    """Return the torrent for an engine of ours: it is never to fetch, so it gets no addresses.

    Transmission 3.00 overwrites a recording that fails its check with what a web seed serves.
    The info-hash stays.
    """
    torrent = torf.Torrent.read_stream(metainfo)
    torrent.webseeds = None
    torrent.httpseeds = None
    stripped: bytes = torrent.dump()
    return stripped
